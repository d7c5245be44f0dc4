/*
 * number_gradient.h - the attribution of heads on prompts of numbers: head_gradient_map() calls it.
 *
 * The score of a true answer y under a prediction f is taken as y f, which plays the part of the
 * logit of the true token: with a squared error, the part of the log-likelihood -(y - f)^2 / 2 that
 * connects the two. The attribution of a head on a clean prompt is y times the sum over its
 * coordinates of its output times the gradient of f; to first order what the score would lose
 * without the head.
 */
#ifndef ACTIVATIONS_NUMBER_GRADIENT_H
#define ACTIVATIONS_NUMBER_GRADIENT_H

#include "activations/causal_map.h"

/* effect [L, H, o->prompts.n] at point o->T0 of the prompts, whose head outputs are those of
 * o->reading. ERR_MEMORY, or what o->progress returns (1 for each prompt). */
enum err_code number_gradient_map(float *effect, const struct params *p,
                                  const struct causal_options *o, struct err *err);
size_t number_gradient_bytes(const struct model_dims *dims, const struct causal_options *o);

#endif
