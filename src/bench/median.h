/*
 * median.h - the middle of a few timings: one slow repeat on a shared machine moves nothing.
 */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

#include <stddef.h>

enum { MEDIAN_MAX = 99 };

double median(const double *x, size_t n); /* 1 <= n <= MEDIAN_MAX */

#endif
