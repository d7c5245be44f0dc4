/*
 * activation.h - elementwise nonlinearities and their gradients.
 *
 * linear_forward() has added the biases already.  The result of an element depends on its value
 * alone, not on its place in the array.
 */
#ifndef OPS_ACTIVATION_H
#define OPS_ACTIVATION_H

#include <stddef.h>

/* The nonlinearity of a model's MLP. */
enum activation_kind {
    ACTIVATION_GELU_TANH, /* "gelu_new", "gelu_fast", "gelu_pytorch_tanh" */
    ACTIVATION_GELU_ERF,  /* "gelu" */
    ACTIVATION_SILU       /* "silu", "swish" */
};

/* GELU in its tanh form ("gelu_new"): y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
 * Hendrycks and Gimpel, arXiv:1606.08415, section 2. x, y [n]; y may be x. */
void gelu_forward(float *y, const float *x, size_t n);

/* The same, and x [n] is overwritten by dy/dx, which gelu_backward() takes. Computing it here costs
 * a few products; computing it in the backward pass would cost a second exp. */
void gelu_forward_derivative(float *restrict y, float *restrict x, size_t n);

/* d [n]: on entry the gradient of y, on return that of x. derivative [n]: dy/dx. */
void gelu_backward(float *restrict d, const float *restrict derivative, size_t n);

/* The same two forward passes for any kind; gelu_backward() takes the derivatives of all. GELU in
 * its erf form is x P(X <= x), X ~ N(0, 1) (the same paper, section 2); SiLU is x / (1 + exp(-x)),
 * section 4. */
void activation_forward(enum activation_kind kind, float *y, const float *x, size_t n);
void activation_forward_derivative(enum activation_kind kind, float *restrict y, float *restrict x,
                                   size_t n);

/* y [n] = activation of x times up: the hidden row of a gated MLP (Shazeer, arXiv:2002.05202,
 * section 2). y may be x or up. */
void activation_gated_forward(enum activation_kind kind, float *y, const float *x, const float *up,
                              size_t n);

#endif
