/*
 * median.h - the median of repeated timings, which a single slow repeat does not change much.
 */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

#include <stddef.h>

enum { MEDIAN_MAX = 99 };

double median(const double *x, size_t n); /* 1 <= n <= MEDIAN_MAX */

#endif
