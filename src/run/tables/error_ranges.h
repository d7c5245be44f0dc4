/*
 * error_ranges.h - from per-function errors to the numbers of a table; pure functions.
 *
 * Errors are [functions, points]: entry k of a row is the error after k examples.  A function's
 * mean over a range of k and over repeats is one value; intervals are over functions, which are
 * the independent draws.
 */
#ifndef RUN_TABLES_ERROR_RANGES_H
#define RUN_TABLES_ERROR_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/interval.h"

struct error_range { /* examples seen, both ends included */
    size_t first, last;
    const char *name; /* static: "in range, below d" */
};

enum { REDUCE_RANGES = 4 };

/* The ranges worth a column for prompts of `points` points with x of `dims` coordinates, on a
 * model trained to `trained` points (0: unknown): below dims, from dims to trained - 1, beyond,
 * and the last k alone. Empty ones are left out; returns how many. */
size_t error_ranges(struct error_range out[REDUCE_RANGES], size_t dims, size_t trained,
                    size_t points);

/* Adds to sums [functions] each function's mean over the range, in double, k ascending. */
void error_range_add(double *sums, const float *errors, size_t functions, size_t points,
                     const struct error_range *range);

/* 95% t interval of means [functions] = sums / repeats; sums is divided in place. */
struct interval error_range_interval(double *sums, size_t functions, size_t repeats);

/* Three significant digits, so that columns stay narrow: "0.00812", "1.2e-05"; "-" for NaN. */
void error_range_number(char out[32], double value);

#endif
