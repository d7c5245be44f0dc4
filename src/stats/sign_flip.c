#include "stats/sign_flip.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"

enum { BYTE = 256, BITS = 8 };

static size_t bytes_of(size_t values) { return (values + BITS - 1) / BITS; }

enum err_code sign_flips_draw(struct sign_flips *out, size_t n, size_t values, uint64_t seed,
                              struct err *err) {
    const size_t bytes = bytes_of(values);
    const struct rng stream = rng_stream(seed, "sign_flip");
    *out = (struct sign_flips){n, values, malloc(n * bytes + 1)};
    if (!out->signs)
        return ERR(err, ERR_MEMORY, "sign flips: no memory for %zu of %zu values", n, values);
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < bytes; b += 4) {
            const uint64_t word = rng_below(UINT64_C(1) << 32, &stream, i, 0, b / 4);
            for (size_t k = 0; k < 4 && b + k < bytes; k++)
                out->signs[i * bytes + b + k] = (uint8_t)(word >> (BITS * k));
        }
    return ERR_OK;
}

void sign_flips_release(struct sign_flips *f) {
    free(f->signs);
    *f = (struct sign_flips){0};
}

/* Of 8 differences (fewer at the end): their sum under each of the 256 patterns, so that a pattern
 * of n differences takes n / 8 additions. */
static void fill_sums(double sums[BYTE], const double *d, size_t n) {
    sums[0] = 0.0;
    for (size_t i = 0; i < n && i < BITS; i++) sums[0] += d[i];
    for (unsigned m = 1; m < BYTE; m++) {
        const unsigned rest = m & (m - 1);
        unsigned bit = 0;
        while (!((m >> bit) & 1u)) bit++;
        sums[m] = sums[rest] - (bit < n ? 2.0 * d[bit] : 0.0);
    }
}

static double flipped_sum(const double *sums, const uint8_t *signs, size_t bytes) {
    double sum = 0.0;
    for (size_t b = 0; b < bytes; b++) sum += sums[b * BYTE + signs[b]];
    return sum;
}

/* least: |sum| that counts as the one seen. */
static double exact_p(const double *sums, size_t n, double least) {
    size_t found = 0;
    const size_t patterns = (size_t)1 << n;
    for (size_t m = 0; m < patterns; m++) {
        const uint8_t signs[2] = {(uint8_t)(m & 255u), (uint8_t)(m >> BITS)};
        found += fabs(flipped_sum(sums, signs, bytes_of(n))) >= least;
    }
    return (double)found / (double)patterns;
}

static double random_p(const double *sums, const struct sign_flips *f, double least) {
    size_t found = 0;
    const size_t bytes = bytes_of(f->values);
    for (size_t i = 0; i < f->n; i++)
        found += fabs(flipped_sum(sums, f->signs + i * bytes, bytes)) >= least;
    return (1.0 + (double)found) / (1.0 + (double)f->n);
}

enum err_code sign_flip_test(double *p, const double *d, size_t n, const struct sign_flips *f,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    double size = 0.0, sum = 0.0;
    double *sums = malloc((bytes_of(n) + 1) * BYTE * sizeof *sums);
    CHECK(sums, ERR_MEMORY, "sign flips: no memory for %zu values", n);
    *p = nan("");
    for (size_t i = 0; i < n; i++) size += fabs(d[i]), sum += d[i];
    if (size == 0.0 || !isfinite(size)) goto cleanup;
    for (size_t b = 0; b < bytes_of(n); b++) fill_sums(sums + b * BYTE, d + b * BITS, n - b * BITS);
    /* Equal sums in another order of addition count as equal. */
    const double least = fabs(sum) - 4.0 * (double)n * DBL_EPSILON * size;
    assert(n <= SIGN_FLIP_EXACT || (f && f->values == n));
    *p = n <= SIGN_FLIP_EXACT ? exact_p(sums, n, least) : random_p(sums, f, least);
cleanup:
    free(sums);
    return rc;
}
