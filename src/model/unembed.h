/*
 * unembed.h - rows of the residual stream become answers: final norm, then the output matrix.
 *
 * An answer is one prediction or V logits, depending on the family. Callers pass only the rows
 * whose answers they need: with a vocabulary of 50,000 tokens the logits of all tokens would cost
 * more than several blocks.  vocabulary.h computes losses over a vocabulary without V numbers a
 * row.
 */
#ifndef MODEL_UNEMBED_H
#define MODEL_UNEMBED_H

#include <stdbool.h>

#include "model/params.h"

struct unembed {               /* activations of R rows */
    float *norm, *mean, *rstd; /* [R, E], [R], [R] of the final norm, for the backward pass */
    float *dnorm;              /* [R, E] scratch of the backward pass; else NULL */
};

/* Numbers of one answer: 1, or V. */
size_t unembed_width(const struct model_dims *d);

void unembed_lay_out(struct unembed *u, struct arena *a, const struct model_dims *d, size_t R,
                     bool for_backward);

/* x [R, E], the output of the last block -> out [R, unembed_width()]; R at most as laid out. */
void unembed_forward(float *out, const struct unembed *u, const struct params *p, const float *x,
                     size_t R);

/* dout [R, unembed_width()] -> dx [R, E], the gradient of x; overwritten. After unembed_forward()
 * of the same x. Weight gradients are added to *g; members that are NULL are not wanted. */
void unembed_backward(float *dx, const struct params *g, const struct unembed *u,
                      const struct params *p, const float *x, const float *dout, size_t R);

/* The parts of both: the final norm alone, x [R, E] -> u->norm; u->dnorm -> dx, overwritten; the
 * output map; where the gradients of its matrix [O, E] and bias [O] go, or NULL. */
void unembed_norm(const struct unembed *u, const struct params *p, const float *x, size_t R);
void unembed_norm_backward(float *dx, const struct params *g, const struct unembed *u,
                           const struct params *p, const float *x, size_t R);
struct weight_map unembed_map(const struct params *p);
float *unembed_weight_gradient(const struct params *g, const struct model_dims *d);
float *unembed_bias_gradient(const struct params *g, const struct model_dims *d);

#endif
