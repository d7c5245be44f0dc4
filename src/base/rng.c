#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>

#include "base/hash.h"

enum { LANES = 4 }; /* 64-bit words of one Philox block */

/* Part of the counter: a block is used either for reals or for integers, never for both. */
enum kind { KIND_REAL, KIND_INTEGER };

static philox4x64_ctr_t block(const struct rng *r, uint64_t sample, uint64_t point, uint64_t draw,
                              enum kind kind) {
    const philox4x64_key_t key = {{r->key[0], r->key[1]}};
    const philox4x64_ctr_t counter = {{draw, point, sample, kind}};
    return philox4x64(counter, key);
}

struct rng rng_stream(uint64_t seed, const char *name) {
    return (struct rng){.key = {seed, hash_name(name)}};
}

/* In [0, 1), 53 random bits. */
static double unit(uint64_t word) { return (double)(word >> 11) * 0x1p-53; }

/* Box and Muller: two uniforms make two normals; 1 - u keeps the logarithm finite. */
static void normal_pair(double out[2], uint64_t word_a, uint64_t word_b) {
    const double turn = 2 * 3.14159265358979323846;
    const double radius = sqrt(-2 * log(1 - unit(word_a)));
    out[0] = radius * cos(turn * unit(word_b));
    out[1] = radius * sin(turn * unit(word_b));
}

void rng_normals(float *out, size_t n, const struct rng *r, uint64_t sample, uint64_t point) {
    for (size_t i = 0; i < n; i += LANES) {
        const philox4x64_ctr_t words = block(r, sample, point, i / LANES, KIND_REAL);
        double four[LANES];
        normal_pair(four, words.v[0], words.v[1]);
        normal_pair(four + 2, words.v[2], words.v[3]);
        for (size_t j = 0; j < LANES && i + j < n; j++) out[i + j] = (float)four[j];
    }
}

void rng_uniforms(double *out, size_t n, const struct rng *r, uint64_t sample, uint64_t point) {
    for (size_t i = 0; i < n; i += LANES) {
        const philox4x64_ctr_t words = block(r, sample, point, i / LANES, KIND_REAL);
        for (size_t j = 0; j < LANES && i + j < n; j++) out[i + j] = unit(words.v[j]);
    }
}

uint64_t rng_below(uint64_t bound, const struct rng *r, uint64_t sample, uint64_t point,
                   uint64_t draw) {
    const uint64_t usable = UINT64_MAX - UINT64_MAX % bound; /* a multiple of bound */
    for (uint64_t again = 0;; again++) {
        const philox4x64_ctr_t words = block(r, sample, point, draw + (again << 48), KIND_INTEGER);
        for (size_t j = 0; j < LANES; j++)
            if (words.v[j] < usable) return words.v[j] % bound;
    }
}

void rng_permutation(uint32_t *out, uint32_t n, const struct rng *r, uint64_t sample,
                     uint64_t point) {
    for (uint32_t i = 0; i < n; i++) out[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        const uint32_t j = (uint32_t)rng_below(i, r, sample, point, i);
        const uint32_t keep = out[i - 1];
        out[i - 1] = out[j];
        out[j] = keep;
    }
}
