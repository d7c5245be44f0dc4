/*
 * order.h - numbers in ascending order.
 */
#ifndef STATS_ORDER_H
#define STATS_ORDER_H

#include <stddef.h>

/* Sorts x [n] in place. No value may be NaN. */
void order_sort(double *x, size_t n);

#endif
