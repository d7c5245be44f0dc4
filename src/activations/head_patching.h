/*
 * head_patching.h - activation patching at the query: predictions with the output of one head
 * replaced.
 *
 * Todd et al., ICLR 2024; see docs/methods.md. Each row is a query that reads a context, usually of
 * a label-shuffled prompt. The output of one head is replaced by a given value, usually its mean
 * over clean prompts, and the rest of the pass is computed again. The layers before the head do not
 * change, so the unedited pass runs once; then, for each layer, one copy of every row per head runs
 * from that layer to the end, all copies in one batch. A head's output is a slice of z, or as in
 * the published regression code of a = z W_o + b.
 */
#ifndef ACTIVATIONS_HEAD_PATCHING_H
#define ACTIVATIONS_HEAD_PATCHING_H

#include "activations/basis.h"
#include "model/query.h"

struct head_patching {
    struct query base;           /* the unedited pass: base.prediction [R], or query_output() */
    struct query copies;         /* as many rows as run together */
    const struct params *params; /* of head_patching_begin(), as the next two */
    const struct context *context;
    struct query_rows rows;
    uint32_t *slot, *length; /* [copies.capacity] */
};

/* prompts: rows at most; tokens: context tokens at most. */
enum err_code head_patching_create(struct head_patching *e, const struct model_dims *dims,
                                   size_t prompts, size_t tokens, struct err *err);
void head_patching_destroy(struct head_patching *e);
size_t head_patching_bytes(const struct model_dims *dims, size_t prompts, size_t tokens);

/* Runs the unedited pass. p, c and the arrays of rows must stay valid until the last call that
 * follows. */
void head_patching_begin(struct head_patching *e, const struct params *p, const struct context *c,
                         const struct query_rows *rows);

/* result [n, R]: the predictions of all rows with head h + i of `layer` replaced; of a family with
 * a vocabulary [n, R, E]: x[L], of which unembed.h and vocabulary.h make logits. values: one row
 * for all R queries or one for each. site: EDIT_HEADS takes slices of BASIS_HEADS, EDIT_ATTENTION
 * of BASIS_ATTENTION, only where H D = E. */
void head_patching_heads(float *result, struct head_patching *e, const struct basis *values,
                         enum edit_site site, size_t layer, size_t h, size_t n);

/* result [L, H, R] or [L, H, R, E]: the same for every head. */
void head_patching_all(float *result, struct head_patching *e, const struct basis *values,
                       enum edit_site site);

#endif
