/*
 * moments.h - mean and variance of numbers in memory, in double, in their order.
 */
#ifndef STATS_MOMENTS_H
#define STATS_MOMENTS_H

#include <stddef.h>

struct moments {
    size_t n;
    double mean;     /* NaN when n = 0 */
    double variance; /* unbiased, divisor n - 1; NaN when n < 2 */
};

/* Two passes: the mean, then the squares around it. */
struct moments moments_of(const double *x, size_t n);

/* Of x[i] - y[i]. */
struct moments moments_of_differences(const double *x, const double *y, size_t n);

#endif
