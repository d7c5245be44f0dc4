/*
 * resamples.h - which seeds and which functions the resamples of a crossed bootstrap hold.
 *
 * Seeds (of a fit, or of a pretraining) and test functions are crossed: every seed is measured on
 * the same functions. So both are resampled with replacement, each independently of the other
 * (Owen, "The pigeonhole bootstrap", 2007). Which are drawn is a pure function of names: resample
 * number r of a given number of seeds or functions is the same for every line of every table.
 */
#ifndef STATS_RESAMPLES_H
#define STATS_RESAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct resamples { /* index arrays, which a caller may also fill itself */
    size_t n, seeds, functions;
    const uint32_t *seed;     /* [n, seeds], each below `seeds` */
    const uint32_t *function; /* [n, functions], each below `functions` */
};

struct resampler_axis {
    const char *name; /* static: of the stream */
    size_t length;
    uint32_t *indices; /* [resamples, length] */
};

/* Draws the index arrays of each length once. Owner: whoever calls resampler_release(). */
struct resampler {
    uint64_t seed;
    uint32_t resamples;
    struct resampler_axis *axes;
    size_t n;
};

/* *out borrows from *r until its release. ERR_CONFIG where a number is 0, ERR_MEMORY. */
enum err_code resampler_get(struct resamples *out, struct resampler *r, size_t seeds,
                            size_t functions, struct err *err);
void resampler_release(struct resampler *r); /* idempotent */

#endif
