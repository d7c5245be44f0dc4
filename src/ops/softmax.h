/*
 * softmax.h - softmax of one row and its gradient; the shared heart of both attentions.
 *
 * A row has n values and room for `room` >= n: what lies behind the values becomes 0.  Its bits do
 * not depend on `room`, nor on its address.
 */
#ifndef OPS_SOFTMAX_H
#define OPS_SOFTMAX_H

#include <stddef.h>

/* x[0..n) becomes exp(x - max) / sum; n >= 1. */
void softmax_row(float *x, size_t n, size_t room);

/* dp[0..n), the gradient with respect to the probabilities p [n], becomes that with respect to the
 * scores, times scale. */
void softmax_row_backward(float *restrict dp, const float *restrict p, float scale, size_t n,
                          size_t room);

#endif
