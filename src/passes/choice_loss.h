/*
 * choice_loss.h - the loss of a method on validation prompts under each of its choices.
 *
 * A prompt's query is its last x, its target the last y, its basis its first T0 points, as in
 * fit_data.h; contexts are filled once for all choices, or for each choice of a method that edits
 * every token.  Prompts go through in chunks, which the caller takes one after the other: chunks
 * decide bits.
 */
#ifndef PASSES_CHOICE_LOSS_H
#define PASSES_CHOICE_LOSS_H

#include "activations/basis_set.h"
#include "methods/vector_pass.h"
#include "passes/fit_data.h"

struct choice_loss_options {
    struct method_setup *setup; /* outlives the chooser, which sets its choice */
    size_t points, T0, chunk;
    bool mean; /* the caller gives one basis for all */
    struct prompt_loss loss;
    enum context_precision contexts;
};

struct choice_loss;

/* w: the method's weights or NULL; they must stay. */
enum err_code choice_loss_create(struct choice_loss **out, const struct choice_loss_options *o,
                                 const float *w, struct err *err);
void choice_loss_destroy(struct choice_loss *c); /* NULL-safe */
size_t choice_loss_bytes(const struct choice_loss_options *o);

/* losses [choices] += weight * loss of n <= chunk prompts. mean: one row, where options say so. */
void choice_loss_add(double *losses, struct choice_loss *c, const struct prompt_view *prompts,
                     const struct basis *mean, double weight);

/* The least of n losses, the first of equals; NaN never. n if there is none. */
size_t choice_loss_least(const double *losses, size_t n);

#endif
