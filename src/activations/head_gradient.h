/*
 * head_gradient.h - the attribution of every head by one backward pass: gradient times head output.
 *
 * The plain form of the selection by Pham et al. (arXiv:2606.05079): the attribution of head (l, h)
 * on a clean prompt is the sum over its coordinates of z times the gradient of the logit of the
 * first token of the true answer with respect to z, at the last token; to first order what the
 * logit would lose without the head. Prompts whose answer is not among the TOP most likely tokens
 * have 0. Of prompts of numbers: number_gradient.h.
 */
#ifndef ACTIVATIONS_HEAD_GRADIENT_H
#define ACTIVATIONS_HEAD_GRADIENT_H

#include "activations/causal_map.h"

enum { HEAD_GRADIENT_TOP = 5 };

/* effect [L, H, o->prompts.n], by prompts of `chunk` at a time with o->tokens of context at most;
 * 0: prompts of numbers.
 * Of the other options it reads contexts, share and progress (1 for each prompt). ERR_NUMERIC where
 * no answer is among the most likely tokens; ERR_MEMORY, or what o->progress returns. */
enum err_code head_gradient_map(float *effect, const struct params *p,
                                const struct causal_options *o, struct err *err);
size_t head_gradient_bytes(const struct model_dims *dims, const struct causal_options *o);

#endif
