/*
 * rng.h - random numbers as a pure function of names.
 *
 * Philox4x64-10 of Random123 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11).
 * A stream is a key: the run's seed and a hash of what is drawn ("linear/train/function").  A draw
 * is a counter: which sample, which point of it, which number there.  Nothing is stored or passed
 * on: the same names give the same numbers on any rank, in any order, after any restart, and
 * drawing more points never changes the earlier ones.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t key[2]; /* seed, hash of the name */
};

/* `name`: what is drawn, as "source/split/purpose"; equal names are equal streams. */
struct rng rng_stream(uint64_t seed, const char *name);

/* Fill out[0..n) for one (sample, point): independent of n, and of every other sample and point. */
void rng_normals(float *out, size_t n, const struct rng *r, uint64_t sample, uint64_t point);
void rng_uniforms(double *out, size_t n, const struct rng *r, uint64_t sample, uint64_t point);

/* One number in [0, bound), unbiased; bound >= 1. `draw` tells apart draws of one (sample, point).
 */
uint64_t rng_below(uint64_t bound, const struct rng *r, uint64_t sample, uint64_t point,
                   uint64_t draw);

/* A permutation of 0..n-1 (Fisher-Yates), one for each (sample, point). */
void rng_permutation(uint32_t *out, uint32_t n, const struct rng *r, uint64_t sample,
                     uint64_t point);

#endif
