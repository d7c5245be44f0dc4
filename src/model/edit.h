/*
 * edit.h - what a method does to a forward pass: a list of edits.
 *
 * An edit adds scale * values to the residual stream at the output of a block (after both residual
 * additions; the last block's before ln_f).  Scope `query`: only the query token, in the query
 * stream. Scope `all`: every token; run in the context pass and again at the query.
 */
#ifndef MODEL_EDIT_H
#define MODEL_EDIT_H

#include <stddef.h>

enum edit_scope { EDIT_QUERY, EDIT_ALL };

struct edit {
    size_t layer; /* 0 .. L-1: the block whose output is edited */
    enum edit_scope scope;
    float scale;
    const float *values; /* [rows, E], or [E] for every row when row_stride is 0 */
    size_t row_stride;   /* E, or 0; scope `all` wants 0 or one row per prompt */
};

struct edits {
    const struct edit *items;
    size_t n; /* 0: the plain model */
};

#endif
