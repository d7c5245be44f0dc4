/*
 * query.h - the query stream: one token a row, over contexts, forward and back.
 *
 * Row r is the query of the prompt in slot[r] that sees its first length[r] context tokens and
 * stands at position length[r].  All rows go through a layer together, as GEMMs [R, E].  This is
 * how every fit and evaluation of scope `query` runs; `plain` is the same with an empty edit list,
 * in the same chunks.  The reference is the full forward twin in tests/.
 */
#ifndef MODEL_QUERY_H
#define MODEL_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/context.h"

struct query_rows {
    size_t R;
    const uint32_t *slot;   /* [R] */
    const uint32_t *length; /* [R] context tokens seen: 2 k after k examples; the position */
    const float *x;         /* [R, inputs] the query's covariates; NULL for token ids */
    const uint32_t *ids;    /* [R] the query's token, for families that embed token ids */
};

struct query {
    struct model_dims dims;
    size_t capacity, tokens; /* rows, and context tokens at most */
    float *x;                /* [L + 1, capacity, E] residual stream of the query, as edited */
    float *z, *a; /* [L, capacity, E] head outputs; attention block's output; as edited */
    float
        *prediction; /* [capacity, unembed_width()]: one number, or the logits of the next token */
    float *before;   /* [L, capacity, E] the caller's, or NULL: see struct query_place */
    float *g;        /* [L, capacity, E] after query_backward: d loss / d x[l + 1] */
    struct query_scratch *scratch;
    struct arena memory;
};
/* Row r of layer l is at (l * capacity + r) * E. */

enum err_code query_create(struct query *q, const struct model_dims *dims, size_t capacity,
                           size_t tokens, bool for_backward, struct err *err);
void query_destroy(struct query *q);
size_t query_bytes(const struct model_dims *dims, size_t capacity, size_t tokens,
                   bool for_backward);

/* rows->R <= capacity. Every edit applies (row_stride > 0: values row r, or edits->index[r]). */
void query_forward(struct query *q, const struct params *p, const struct context *c,
                   const struct query_rows *rows, const struct edits *edits);

/* The rest of a pass that stands at `layer`, at a site where the caller has written its R rows:
 * EDIT_HEADS takes z[layer] and x[layer], EDIT_ATTENTION a[layer] and x[layer], EDIT_BLOCK
 * x[layer + 1]. Edits of later places apply, those of this one are the caller's. rows->x is not
 * read. */
void query_resume(struct query *q, const struct params *p, const struct context *c,
                  const struct query_rows *rows, const struct edits *edits, size_t layer,
                  enum edit_site from);

/* After query_forward of the same rows, with edits that add to block outputs or none: g[l] = total
 * derivative of the loss after block l, given dprediction [R, unembed_width()]. Context constant,
 * weights frozen: nothing else is computed. */
void query_backward(struct query *q, const struct params *p, const struct context *c,
                    const struct query_rows *rows, const float *dprediction);

/* An edited place on the way back; R rows [R, E]. */
struct query_place {
    size_t layer, R;
    enum edit_site site;
    const float *x; /* what stood there before its edits; NULL where all of them add, or q->before
                       was NULL in the forward pass */
    const float *g; /* d loss / d what stands there after them */
};

/* Calls see(context, ..) at every edited place, from the last to the first. */
struct query_watch {
    void (*see)(void *context, const struct query_place *place);
    void *context;
};

/* The same after edits of any kind: those of the forward pass. In a layer only one site may have
 * edits that do more than add, where `before` is kept. */
void query_backward_edited(struct query *q, const struct params *p, const struct context *c,
                           const struct query_rows *rows, const struct edits *edits,
                           const float *dprediction, const struct query_watch *watch);

#endif
