/*
 * effects_pass.h - the causal map: predictions with the output of one head alone replaced.
 *
 * Causal mediation at the query (Todd et al. 2024; methods 3.1, 3.2): rows that read a context,
 * usually a corrupted one, get the output that a head had elsewhere, usually its mean over clean
 * prompts, and all that follows is computed again.  Layers before the head are those of the
 * unedited pass, so that pass runs once, and from each layer on a copy of every row per head runs
 * to the end, all of them together.  A head is a slice of z, or as the published regression code
 * has it, of a.
 */
#ifndef METHODS_EFFECTS_PASS_H
#define METHODS_EFFECTS_PASS_H

#include "methods/method.h"
#include "model/query.h"

struct effects_pass {
    struct query base;           /* the unedited pass: base.prediction [R] */
    struct query copies;         /* of as many rows as go on together */
    const struct params *params; /* as begun with, and the next two */
    const struct context *context;
    struct query_rows rows;
    uint32_t *slot, *length; /* [copies.capacity] */
};

/* prompts: rows at most; tokens: context tokens at most. */
enum err_code effects_pass_create(struct effects_pass *e, const struct model_dims *dims,
                                  size_t prompts, size_t tokens, struct err *err);
void effects_pass_destroy(struct effects_pass *e);
size_t effects_pass_bytes(const struct model_dims *dims, size_t prompts, size_t tokens);

/* Runs the unedited pass. p, c and the arrays of rows must stay until the last call that follows.
 */
void effects_pass_begin(struct effects_pass *e, const struct params *p, const struct context *c,
                        const struct query_rows *rows);

/* prediction [n, R]: of the rows that were begun with, when head h, .. or h + n - 1 of `layer` is
 * replaced. values: one row for all, or one each. site: EDIT_HEADS takes slices of BASIS_HEADS,
 * EDIT_ATTENTION of BASIS_ATTENTION. */
void effects_pass_heads(float *prediction, struct effects_pass *e, const struct basis *values,
                        enum edit_site site, size_t layer, size_t h, size_t n);

/* prediction [L, H, R]: every head. */
void effects_pass_all(float *prediction, struct effects_pass *e, const struct basis *values,
                      enum edit_site site);

#endif
