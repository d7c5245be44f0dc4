/*
 * choice_loss.h - the validation loss of a derived method under each of its choices (such as
 * layers).
 *
 * As in fit_data.h, the query of a prompt is its last x, the target its last y, and its basis its
 * first T0 points; of text the loss is that of the tokens of its answer, and the basis is that of
 * another prompt. Contexts are filled once for all choices, or once per choice for a method that
 * edits every token. The caller passes the prompts in chunks, in order: chunks are part of what
 * determines the bits.
 */
#ifndef PASSES_CHOICE_LOSS_H
#define PASSES_CHOICE_LOSS_H

#include "activations/basis_set.h"
#include "methods/vector_pass.h"
#include "passes/fit_data.h"
#include "sources/prompt_size.h"

struct choice_loss_options {
    struct method_setup *setup; /* must stay valid; its `choice` is set to each choice in turn */
    size_t points, T0, chunk;
    struct prompt_size size; /* of text */
    bool first_token;        /* the loss of text is that of the first token of an answer */
    bool mean;               /* the caller passes one basis row for all prompts */
    struct prompt_loss loss;
    enum context_precision contexts;
    const struct context_share *share; /* NULL: contexts are not shared */
};

struct choice_loss;

/* w: the method's weights or NULL; they must stay valid. */
enum err_code choice_loss_create(struct choice_loss **out, const struct choice_loss_options *o,
                                 const float *w, struct err *err);
void choice_loss_destroy(struct choice_loss *c); /* NULL-safe */
size_t choice_loss_bytes(const struct choice_loss_options *o);

/* losses [choices] += weight * the sum of losses of n <= chunk prompts. bases: the basis prompts of
 * the same samples; NULL: the prompts themselves. mean: the one basis row, if the options request
 * it. */
void choice_loss_add(double *losses, struct choice_loss *c, const struct prompt_view *prompts,
                     const struct prompt_view *bases, const struct basis *mean, double weight);

/* Index of the smallest finite loss of n, the first of equals; n if none is finite. */
size_t choice_loss_least(const double *losses, size_t n);

#endif
