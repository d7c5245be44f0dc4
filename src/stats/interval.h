/*
 * interval.h - confidence intervals of a mean from n independent values.
 *
 * `confidence` is two-sided: 0.95.  With fewer than two values low and high are NaN: an unknown
 * interval is not a narrow one.
 */
#ifndef STATS_INTERVAL_H
#define STATS_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

struct interval {
    double value, low, high;
};

/* mean ± t s / sqrt(n), with Student's t at n - 1 degrees of freedom. */
struct interval interval_t(const double *x, size_t n, double confidence);

/* The same of the differences a[i] - b[i]: two methods on the same functions. */
struct interval interval_paired(const double *a, const double *b, size_t n, double confidence);

/* True when low and high are known and lie on one side of x. */
bool interval_excludes(const struct interval *i, double x);

#endif
