/*
 * softmax.h - softmax of one row and its gradient, for attention.c.
 *
 * A row has n values in an array of `room` >= n floats; those after the values become 0.  The bits
 * depend neither on `room` nor on the address of the row.
 */
#ifndef OPS_SOFTMAX_H
#define OPS_SOFTMAX_H

#include <stddef.h>

/* x[0..n) becomes exp(x - max) / sum; n >= 1. */
void softmax_row(float *x, size_t n, size_t room);

/* dp[0..n): on entry the gradient with respect to the probabilities p [n], on return that with
 * respect to the scores, times scale. */
void softmax_row_backward(float *restrict dp, const float *restrict p, float scale, size_t n,
                          size_t room);

#endif
