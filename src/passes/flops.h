/*
 * flops.h - floating-point operations and memory traffic of a transformer, from which `plan`
 * predicts the time of jobs, and the queue their order.
 */
#ifndef PASSES_FLOPS_H
#define PASSES_FLOPS_H

#include "job/planned_job.h"
#include "model/context.h"
#include "model/dims.h"

/* One forward pass over `tokens` tokens that attend to `seen` tokens each on average: two
 * operations per weight of a matrix and token, four per coordinate of each head and token attended
 * to. A backward pass takes twice that with weight gradients, as much without. Logits of a family
 * with a vocabulary are not in it: flops_logits(). */
double flops_forward(const struct model_dims *d, double tokens, double seen);

/* The context of a prompt of `tokens` tokens: all layers, of the last one only keys and values. */
double flops_context(const struct model_dims *d, double tokens);

/* A query edited at the heads of `layer`: that layer without its attention, and all later layers.
 */
double flops_query_from(const struct model_dims *d, double seen, size_t layer);

/* Logits of `tokens` tokens, all of the vocabulary or a fixed set of answers, for each of the rows.
 */
double flops_logits(const struct model_dims *d, double rows, double tokens);

/* A vector u D(w) W_o in every layer, or its gradient. */
double flops_vector(const struct model_dims *d);

/* Bytes of the keys and values of `tokens` tokens in `layers` layers, `width` bytes a number. */
double flops_context_bytes(const struct model_dims *d, double layers, double tokens, double width);

/* The contexts of n prompts: flops_context(). The only place where contexts enter a load: a job
 * that shares contexts has fewer of them. */
void flops_add_contexts(struct job_load *l, const struct model_dims *d, double n, double tokens);

/* n passes of one query over the first `seen` tokens of a context. A backward pass counts as
 * another one. */
void flops_add_queries(struct job_load *l, const struct model_dims *d, double n, double seen);

/* n vectors, or gradients of them: the products that methods with a basis
 * compute for each row. */
void flops_add_vectors(struct job_load *l, const struct model_dims *d, double n);

/* n readings of the first `seen` tokens of a context from memory. Rows of a pass that read the same
 * context one after the other read it once. */
void flops_add_reading(struct job_load *l, const struct model_dims *d, double n, double seen,
                       enum context_precision contexts);

/* Updates on `tokens` tokens in all: forward pass and both gradients. */
void flops_add_training(struct job_load *l, const struct model_dims *d, double tokens, double seen);

#endif
