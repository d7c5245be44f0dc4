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
 * operations per weight and token, four per coordinate of each token attended to. A backward pass
 * takes twice that with weight gradients, as much without. */
double flops_forward(const struct model_dims *d, double tokens, double seen);

/* The contexts of n prompts of `tokens` tokens: all layers, of the last one only keys and values.
 * The only place where contexts enter a load: a job that shares contexts has fewer of them. */
void flops_add_contexts(struct job_load *l, const struct model_dims *d, double n, double tokens);

/* n passes of one query over the first `seen` tokens of a context. A backward pass counts as
 * another one. */
void flops_add_queries(struct job_load *l, const struct model_dims *d, double n, double seen);

/* n vectors u D(w) W_o in every layer, or gradients of them: the products that methods with a basis
 * compute for each row. */
void flops_add_vectors(struct job_load *l, const struct model_dims *d, double n);

/* n readings of the first `seen` tokens of a context from memory. Rows of a pass that read the same
 * context one after the other read it once. */
void flops_add_reading(struct job_load *l, const struct model_dims *d, double n, double seen,
                       enum context_precision contexts);

/* Updates on `tokens` tokens in all: forward pass and both gradients. */
void flops_add_training(struct job_load *l, const struct model_dims *d, double tokens, double seen);

#endif
