/*
 * activation.h - elementwise nonlinearities and their gradients.
 *
 * The biases before them are added by linear_forward at no cost, so nothing is fused here.  An
 * element's result depends on its value alone, not on its place in the array.
 */
#ifndef OPS_ACTIVATION_H
#define OPS_ACTIVATION_H

#include <stddef.h>

/* GELU in its tanh form ("gelu_new"): y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
 * Hendrycks and Gimpel, arXiv:1606.08415, section 2. x, y [n]. */
void gelu_forward(float *restrict y, const float *restrict x, size_t n);

/* The same, and x [n] becomes dy/dx there: what the backward pass needs of it, at the price of a
 * few products instead of a second exp. */
void gelu_forward_slope(float *restrict y, float *restrict x, size_t n);

/* d [n], the gradient of y, becomes that of x. */
void gelu_backward(float *restrict d, const float *restrict slope, size_t n);

#endif
