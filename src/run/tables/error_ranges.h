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

struct error_range { /* numbers of examples seen, both ends included */
    size_t first, last;
    const char *name; /* static: one of the names below */
};

enum { ERROR_RANGES = 4 };

/* The ranges that get a column, for prompts of `points` points with x of `dims` coordinates, on a
 * model trained on prompts of `trained` points (0: unknown): "below d" (fewer examples than dims),
 * "in range" (up to trained - 1), "beyond", and "last" (the last k alone). Empty ones are left
 * out; returns how many there are. */
size_t error_ranges(struct error_range out[ERROR_RANGES], size_t dims, size_t trained,
                    size_t points);

/* Adds to sums [functions] each function's mean over the range, in double, k ascending. */
void error_range_add(double *sums, const float *errors, size_t functions, size_t points,
                     const struct error_range *range);

#endif
