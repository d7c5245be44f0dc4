/*
 * flop_count.h - useful arithmetic and memory traffic of the work that benchmarks measure.
 *
 * Useful arithmetic is two operations per token and weight, and four per token and coordinate of
 * each token it attends to. Padding, tiles above the diagonal of an attention matrix, and
 * activations that are written and read again do not count. Work that this program avoids, but
 * comparable programs do, is counted, so that rates can be compared.
 */
#ifndef BENCH_FLOP_COUNT_H
#define BENCH_FLOP_COUNT_H

#include "model/dims.h"

/* One token of a training update on prompts of `tokens` tokens: forward pass and both gradients, 6
 * operations per weight, and three times the attention. */
double flop_count_train_token(const struct model_dims *d, double tokens);

/* The context of one prompt of `tokens` tokens: all layers, of the last one only keys and values.
 */
double flop_count_prefill(const struct model_dims *d, double tokens);

/* A full forward pass of a prompt of `tokens` tokens. */
double flop_count_forward(const struct model_dims *d, double tokens);

/* One query that attends to `seen` tokens, and its backward pass to the residual stream after the
 * first block. */
double flop_count_query(const struct model_dims *d, double seen);
double flop_count_query_backward(const struct model_dims *d, double seen);

/* A query edited at the heads of `layer`: that layer without its attention, and all later layers.
 */
double flop_count_query_from(const struct model_dims *d, double seen, size_t layer);

/* The vector of one basis prompt, u D(w) W_o in every layer; its gradient costs the same. */
double flop_count_vector(const struct model_dims *d);

/* Keys and values of `tokens` tokens in `layers` layers, `width` bytes per number. */
double flop_count_context_bytes(const struct model_dims *d, double layers, double tokens,
                                double width);

#endif
