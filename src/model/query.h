/*
 * query.h - the query stream: single-token passes over stored contexts, forward and backward.
 *
 * Row r is the query of the prompt in slot[r] that sees its first length[r] context tokens and is
 * at position length[r].  All rows go through a layer together, as GEMMs [R, E].  Every fit and
 * evaluation of scope `query` runs this way.  Method `plain` runs the same pass with an empty edit
 * list and in the same chunks, so that a method without effect gives the same bits as `plain`.
 * Only rounding differs from a full forward pass with edits, which is the reference in
 * tests/model/.
 */
#ifndef MODEL_QUERY_H
#define MODEL_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/context.h"
#include "model/edit.h"
#include "model/unembed.h"

struct query_rows {
    size_t R;
    const uint32_t *slot;   /* [R] */
    const uint32_t *length; /* [R] context tokens seen: 2 k after k examples; the position */
    const float *x;         /* [R, inputs] the query's covariates; NULL for token ids */
    const uint32_t *ids;    /* [R] the query's token, for families that embed token ids */
    /* [R] A query of several tokens, such as an answer after the edited token, is as many adjacent
     * rows with the same slot and length: row r follows earlier[r] of them, which it sees, and is
     * at position length[r] + earlier[r]. Edits of scope `query` apply to the first alone. NULL:
     * all are 0. */
    const uint32_t *earlier;
};

struct query {
    struct model_dims dims;
    size_t capacity, tokens; /* rows, and context tokens at most */
    size_t earlier;          /* rows that follow the first of a query, at most */
    float *x;                /* [L + 1, capacity, E] residual stream of the query, as edited */
    float *z;                /* [L, capacity, H D] head outputs, as edited */
    float *a;                /* [L, capacity, E] attention output, as edited */
    struct unembed last;     /* last.norm [capacity, E]: x[L] after the final norm */
    float *prediction;       /* [capacity]; this and `last` not for families with a vocabulary,
                                whose answers vocabulary.h makes from query_output() */
    float *before;           /* [L, capacity, max(E, H D)] of the caller or NULL: see struct
                                query_place */
    float *before_mlp;       /* the same for the site EDIT_MLP: [L, capacity, E] */
    float *g;                /* [L, capacity, E] after query_backward: d loss / d x[l + 1] */
    struct query_scratch *scratch;
    struct arena memory;
};
/* Row r of layer l is at (l * capacity + r) * E, or * H D in z. */

/* For passes of up to `capacity` rows that see up to `tokens` context tokens. ERR_MEMORY.
 * query_bytes() is the memory that it takes. */
enum err_code query_create(struct query *q, const struct model_dims *dims, size_t capacity,
                           size_t tokens, bool for_backward, struct err *err);
/* The same for queries of up to 1 + `earlier` tokens. */
enum err_code query_create_long(struct query *q, const struct model_dims *dims, size_t capacity,
                                size_t tokens, size_t earlier, bool for_backward, struct err *err);
void query_destroy(struct query *q); /* idempotent */
size_t query_bytes(const struct model_dims *dims, size_t capacity, size_t tokens,
                   bool for_backward);
size_t query_bytes_long(const struct model_dims *dims, size_t capacity, size_t tokens,
                        size_t earlier, bool for_backward);

/* x[L] [R, E] of the last pass. */
const float *query_output(const struct query *q);

/* The attention of head h of row r in layer l during the last pass, on context c: probabilities
 * [length[r] + earlier[r] + 1] of the tokens that the row sees, in their order, itself the last.
 * Only of a query that is created for the backward pass. */
const float *query_attention(const struct query *q, const struct context *c, size_t l, size_t r,
                             size_t h);

/* rows->R <= capacity. Every edit applies (row_stride > 0: values row r, or edits->index[r]). */
void query_forward(struct query *q, const struct params *p, const struct context *c,
                   const struct query_rows *rows, const struct edits *edits);

/* query_forward() that also stores the keys and values of every row in `c`, as the token at its
 * position in its slot, so that rows with a larger length see it: a prompt grows token by token.
 * Positions are below c->tokens, and those of one slot differ. */
void query_append(struct query *q, const struct params *p, struct context *c,
                  const struct query_rows *rows, const struct edits *edits);

/* The rest of a pass from one site of `layer` on. The caller has written the R rows of that site:
 * z[layer] and x[layer] for EDIT_HEADS, a[layer] and x[layer] for EDIT_ATTENTION, x[layer + 1] for
 * EDIT_BLOCK. Edits of later sites apply; those of this site are already in the rows. rows->x and
 * rows->ids are not read. */
void query_resume(struct query *q, const struct params *p, const struct context *c,
                  const struct query_rows *rows, const struct edits *edits, size_t layer,
                  enum edit_site from);

/* After query_forward of the same rows, with edits that add to block outputs or none: g[l] = total
 * derivative of the loss after block l, given dprediction [R], or, of a family with a vocabulary,
 * the gradient of query_output() [R, E]. Only the first row of a query has it; the others, which no
 * edit of scope `query` reaches, have 0. Context constant, weights frozen: nothing else is
 * computed.
 */
void query_backward(struct query *q, const struct params *p, const struct context *c,
                    const struct query_rows *rows, const float *dprediction);

/* An edited site of a layer in the backward pass; rows [R, E], of EDIT_HEADS [R, H D]. */
struct query_place {
    size_t layer, R;
    enum edit_site site;
    const float *x; /* the rows before their edits; NULL where all edits add, or where q->before was
                       NULL in the forward pass */
    const float *g; /* d loss / d the rows after their edits */
};

/* Calls visit(context, ..) at every edited site, from the last to the first. */
struct query_visitor {
    void (*visit)(void *context, const struct query_place *place);
    void *context;
};

/* The same after edits of any kind: pass those of the forward pass. With q->before, only one site
 * of a layer besides EDIT_MLP may have edits that do more than add: `before` has room for one.
 * Edits of EDIT_MLP are of scope `all` and add or mix. */
void query_backward_edited(struct query *q, const struct params *p, const struct context *c,
                           const struct query_rows *rows, const struct edits *edits,
                           const float *dprediction, const struct query_visitor *visitor);

#endif
