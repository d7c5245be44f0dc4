/*
 * head_patching.h - the causal map: predictions with the output of one head alone replaced.
 *
 * Causal mediation at the query (Todd et al. 2024; methods 3.1, 3.2): rows that read a context,
 * usually a corrupted one, get the output that a head had elsewhere, usually its mean over clean
 * prompts, and all that follows is computed again.  Layers before the head are those of the
 * unedited pass, so that pass runs once, and from each layer on a copy of every row per head runs
 * to the end, all of them together.  A head is a slice of z, or as the published regression code
 * has it, of a.
 */
#ifndef ACTIVATIONS_HEAD_PATCHING_H
#define ACTIVATIONS_HEAD_PATCHING_H

#include "activations/basis.h"
#include "model/query.h"

struct head_patching {
    struct query base;           /* the unedited pass: base.prediction [R] */
    struct query copies;         /* of as many rows as go on together */
    const struct params *params; /* as begun with, and the next two */
    const struct context *context;
    struct query_rows rows;
    uint32_t *slot, *length; /* [copies.capacity] */
};

/* prompts: rows at most; tokens: context tokens at most. */
enum err_code head_patching_create(struct head_patching *e, const struct model_dims *dims,
                                   size_t prompts, size_t tokens, struct err *err);
void head_patching_destroy(struct head_patching *e);
size_t head_patching_bytes(const struct model_dims *dims, size_t prompts, size_t tokens);

/* Runs the unedited pass. p, c and the arrays of rows must stay until the last call that follows.
 */
void head_patching_begin(struct head_patching *e, const struct params *p, const struct context *c,
                         const struct query_rows *rows);

/* prediction [n, R]: of the rows that were begun with, when head h, .. or h + n - 1 of `layer` is
 * replaced. values: one row for all, or one each. site: EDIT_HEADS takes slices of BASIS_HEADS,
 * EDIT_ATTENTION of BASIS_ATTENTION. */
void head_patching_heads(float *prediction, struct head_patching *e, const struct basis *values,
                         enum edit_site site, size_t layer, size_t h, size_t n);

/* prediction [L, H, R]: every head. */
void head_patching_all(float *prediction, struct head_patching *e, const struct basis *values,
                       enum edit_site site);

#endif
