/*
 * flop_count.h - useful arithmetic and bytes of the work that benches measure.
 *
 * Two operations for each weight a token meets, four for each coordinate of each token it attends
 * to: what the mathematics asks for.  Padding, whole tiles above the diagonal of an attention and
 * activations written and read again are not useful, and work that the code has found out to be
 * unnecessary for a result still counts where every program of the field does it.
 */
#ifndef BENCH_FLOP_COUNT_H
#define BENCH_FLOP_COUNT_H

#include "model/dims.h"

/* One update on `prompts` prompts of `tokens` tokens each, forward and both gradients, for one
 * token: 6 operations a weight, and attention three times. */
double flop_count_train_token(const struct model_dims *d, double tokens);

/* The context of one prompt of `tokens` tokens: all layers, of the last one keys and values. */
double flop_count_prefill(const struct model_dims *d, double tokens);

/* A whole forward pass of a prompt of `tokens` tokens. */
double flop_count_forward(const struct model_dims *d, double tokens);

/* One query that sees `seen` tokens, and back to the residual stream after the first block. */
double flop_count_query(const struct model_dims *d, double seen);
double flop_count_query_backward(const struct model_dims *d, double seen);

/* The layers from `layer` on, attention of that one excluded: a query edited at its heads. */
double flop_count_query_from(const struct model_dims *d, double seen, size_t layer);

/* The vector of one basis prompt, u D(w) W_o in every layer; its gradient costs the same. */
double flop_count_vector(const struct model_dims *d);

/* Keys and values of `tokens` tokens in `layers` layers, at `width` bytes a number. */
double flop_count_context_bytes(const struct model_dims *d, double layers, double tokens,
                                double width);

#endif
