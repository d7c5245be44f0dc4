/*
 * edit.h - what a method does to a forward pass: a list of edits.
 *
 * An edit changes the activation at one site of one layer: it adds values, replaces the activation,
 * mixes both, adds values and restores the norm (steering), or adds a low-rank affine map of the
 * activation.  Edits of one site apply in the order of the list.  Scope `query` edits the query
 * token only, in the query stream.  Scope `all` edits every token: in the context pass, and again
 * at the query; its sites are EDIT_BLOCK, EDIT_ATTENTION and EDIT_MLP.  A zero-initialised edit
 * adds to a whole block output, at layer 0.
 */
#ifndef MODEL_EDIT_H
#define MODEL_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum edit_scope { EDIT_QUERY, EDIT_ALL };

enum edit_site {
    EDIT_BLOCK,     /* the residual stream after both additions; the last block's before ln_f */
    EDIT_HEADS,     /* z, the head outputs side by side: head h is [h D, (h + 1) D) */
    EDIT_ATTENTION, /* a, the attention output after projection, before it is added to x */
    EDIT_EMBEDDING, /* the embedded query: the input of block 0; layer 0 */
    EDIT_MLP        /* the MLP output, before it is added to x */
};

enum edit_operation {
    EDIT_ADD,     /* x + scale values */
    EDIT_REPLACE, /* values */
    EDIT_MIX,     /* (1 - scale) x + scale values */
    EDIT_STEER,   /* x + scale values, rescaled to the norm of x */
    EDIT_MAP      /* x + B^T (A x + c), of `map`; no values */
};

/* Rows of A and B are n floats apart. The matrices of row r of a pass begin r strides after those
 * of row 0; stride 0: every row uses the same. */
struct edit_map {
    size_t rank;    /* at most E */
    const float *A; /* [rank, n] */
    const float *B; /* [rank, n]; NULL: the identity, rank = n */
    const float *c; /* [rank]; NULL: zeros */
    size_t A_stride, B_stride, c_stride;
};

struct edit {
    size_t layer; /* 0 .. L-1 */
    enum edit_scope scope;
    enum edit_site site;
    enum edit_operation operation;
    size_t from, n; /* coordinates [from, from + n); n 0: all from `from` on */
    float scale;
    const float *values; /* [rows, n], or [n] for every row when row_stride is 0 */
    size_t row_stride;   /* floats from row to row; scope `all` needs 0 or one row per prompt */
    struct edit_map map; /* of EDIT_MAP */
};

struct edits {
    const struct edit *items;
    size_t n;              /* 0: the plain model */
    const uint32_t *index; /* [R] row of the values that row r of a query pass reads; NULL: r */
    const uint32_t *at;    /* [n_at] tokens of a context pass where additions of scope `query` to
                              block outputs apply too, once for each time a token is listed */
    size_t n_at;
};

/* x [E] += scale * values [E]. Adding zeros changes no bit, not even the sign of a zero. */
void edit_add(float *restrict x, const float *restrict values, float scale, size_t E);

/* Applies e to one row x [E] of its site, with row r of the values or matrices. Mixing with scale
 * 0, steering by zeros and a map to zero change no bit either. scratch [E]. */
void edit_apply(float *x, const struct edit *e, size_t r, size_t E, float *scratch);

/* Does the edit apply to a row of a query pass that follows `earlier` rows of its query? Scope
 * `query` edits the first token alone. */
static inline bool edit_reaches(const struct edit *e, size_t earlier) {
    return earlier == 0 || e->scope == EDIT_ALL;
}

/* Coordinates that the edit changes; E: those of its site. */
static inline size_t edit_width(const struct edit *e, size_t E) {
    return e->n > 0 ? e->n : E - e->from;
}

/* The values for row (prompt) r. */
static inline const float *edit_row(const struct edit *e, size_t r) {
    return e->values + r * e->row_stride;
}

#endif
