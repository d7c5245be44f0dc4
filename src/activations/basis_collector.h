/*
 * basis_collector.h - runs the model over prompts and takes their basis (basis.h).
 *
 * A collector is created once for a length T0 and a chunk and runs any number of times. The chunk
 * is part of what determines the bits, because GEMM results depend on the shape of a batch.
 */
#ifndef ACTIVATIONS_BASIS_COLLECTOR_H
#define ACTIVATIONS_BASIS_COLLECTOR_H

#include "activations/basis_set.h"
#include "sources/prompt_batch.h"
#include "sources/prompt_view.h"
#include "sources/shared_contexts.h"

struct basis_collector;

/* What the prompts of a basis are like. */
struct basis_size {
    size_t T0;     /* the point of the basis, counted from 1 */
    size_t tokens; /* of text: tokens before a query, at most */
    size_t answer; /* of text: tokens of the answer to it, at most; 0: prompts of numbers */
};

/* T0: the point of the basis, counted from 1. chunk: prompts of one pass. */
enum err_code basis_collector_create(struct basis_collector **out, const struct model_dims *dims,
                                     size_t T0, size_t chunk, enum context_precision contexts,
                                     struct err *err);
/* For prompts of text with up to `tokens` tokens before the query, whose basis is at their last
 * token: all parts but BASIS_ANCHORS; BASIS_ALONE of prompts that have prompt_text.alone_ids. */
enum err_code basis_collector_create_text(struct basis_collector **out,
                                          const struct model_dims *dims, size_t tokens,
                                          size_t chunk, enum context_precision contexts,
                                          struct err *err);
void basis_collector_destroy(struct basis_collector *c); /* NULL-safe */

/* Steps of text prompts with answers of up to `answer` tokens; prompts of numbers need no such
 * call. */
enum err_code basis_collector_answers(struct basis_collector *c, const struct model_dims *dims,
                                      size_t answer, struct err *err);
size_t basis_collector_answers_bytes(const struct model_dims *dims, const struct basis_size *size,
                                     size_t chunk);

/* BASIS_RECENT becomes the mean over the last `recent` x's, of text over the last tokens before an
 * answer (basis_text.h), or over all T0 if those are fewer; the default is 1. */
void basis_collector_recent(struct basis_collector *c, size_t recent);

/* Its contexts are shared with other jobs; s must outlive the collector; NULL: they are not. */
void basis_collector_share(struct basis_collector *c, const struct context_share *s);

/* Whoever watches is told while contexts are made. Where it wants no more, the run ends and the
 * rows of the set are not those of the prompts. */
void basis_collector_watch(struct basis_collector *c, struct prompt_batch_watch watch);

/* Anchors are tokens that belong to no prompt and are asked after the T0 - 1 pairs of every prompt.
 * Row i of rows [n, inputs + 2 E] holds the x of anchor i, its last residual state without examples
 * and E coefficients. With d_i the difference that the pairs make to the last state of anchor i,
 * block k of BASIS_ANCHORS is the sum over i of coefficient k of i times d_i. */
struct basis_anchors {
    size_t n;          /* 0: none */
    const float *rows; /* must stay valid as long as the collector */
};
enum err_code basis_collector_anchor(struct basis_collector *c, const struct basis_anchors *a,
                                     const struct model_dims *dims, struct err *err);
size_t basis_anchors_bytes(const struct model_dims *dims, size_t T0, size_t n);

size_t basis_collector_bytes(const struct model_dims *dims, size_t T0, size_t chunk,
                             enum context_precision contexts);

size_t basis_collector_text_bytes(const struct model_dims *dims, size_t tokens, size_t chunk,
                                  enum context_precision contexts);

/* Rows 0 .. n - 1 of the set: the basis of the n prompts, in their order, which have T0 points or
 * more; s->n >= n. */
void basis_collector_run(struct basis_set *s, struct basis_collector *c, const struct params *p,
                         const struct prompt_view *prompts);
/* The same into rows row .. row + n - 1. */
void basis_collector_run_at(struct basis_set *s, size_t row, struct basis_collector *c,
                            const struct params *p, const struct prompt_view *prompts);

/* A collector that runs once, with contexts in single precision. */
enum err_code basis_set_collect(struct basis_set *s, const struct params *p,
                                const struct prompt_view *prompts, size_t T0, size_t chunk,
                                struct err *err);

#endif
