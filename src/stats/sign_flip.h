/*
 * sign_flip.h - the paired permutation test: of differences that are as likely positive as
 * negative, every pattern of signs is as likely as the one seen (Fisher, The Design of Experiments,
 * 1935).
 */
#ifndef STATS_SIGN_FLIP_H
#define STATS_SIGN_FLIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SIGN_FLIP_EXACT = 14 }; /* up to so many differences all patterns are counted */

struct sign_flips { /* patterns, which a caller may also fill itself */
    size_t n, values;
    uint8_t *signs; /* [n, (values + 7) / 8]; bit i % 8 of byte i / 8: difference i is flipped */
};

/* n random patterns by Philox; equal seed, equal patterns. ERR_MEMORY. */
enum err_code sign_flips_draw(struct sign_flips *out, size_t n, size_t values, uint64_t seed,
                              struct err *err);
void sign_flips_release(struct sign_flips *f); /* idempotent */

/* The two-sided p of |mean(d)|, d [n]: the share of patterns whose |mean| is at least as large. All
 * 2^n patterns where n <= SIGN_FLIP_EXACT, and *f is not read; else the f->n patterns with the one
 * seen, (1 + number) / (1 + f->n), and f->values must be n. NaN where every d is 0, as where n is
 * 0: nothing can be flipped. ERR_MEMORY. */
enum err_code sign_flip_test(double *p, const double *d, size_t n, const struct sign_flips *f,
                             struct err *err);

#endif
