/*
 * softmax.h - softmax of one row and its gradient; the shared heart of both attentions.
 */
#ifndef OPS_SOFTMAX_H
#define OPS_SOFTMAX_H

#include <stddef.h>

/* x[0..n) becomes exp(x - max) / sum; n >= 1. */
void softmax_row(float *x, size_t n);

/* dp[0..n), the gradient with respect to the probabilities p, becomes that with respect to the
 * scores, times scale. */
void softmax_row_backward(float *restrict dp, const float *restrict p, float scale, size_t n);

#endif
