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

/* x [E] += scale * values [E]. Adding zeros changes no bit, not even the sign of a zero. */
void edit_add(float *restrict x, const float *restrict values, float scale, size_t E);

/* The values for row (prompt) r. */
static inline const float *edit_row(const struct edit *e, size_t r) {
    return e->values + r * e->row_stride;
}

#endif
