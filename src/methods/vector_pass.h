/*
 * vector_pass.h - the query pass under a method: computes its vector, applies its edits to the
 * queries of many prompts, and differentiates the loss with respect to its weights.
 *
 * `fit`, `evaluate` and `verify` run every query through this, those of `plain` too (with no
 * edits), so all methods share the same arithmetic.  Order of calls: set once per basis and
 * weights, run for each set of rows, backward after a run of the same rows.
 */
#ifndef METHODS_VECTOR_PASS_H
#define METHODS_VECTOR_PASS_H

#include "methods/method.h"
#include "model/query.h"

struct vector_pass {
    const struct method_setup *setup;
    struct query query; /* prediction and g of the last run */
    float *v;           /* as set, of v_rows rows: [L, R, E] by default */
    size_t v_rows;      /* 0: no vector; 1: one for every row */
    struct edit *items; /* [method_edits_most] */
    struct edits
        edits;      /* after a set the caller may set edits.index, for rows that share vectors */
    const float *w; /* as set */
    float *scratch, *g_sum; /* for the method; [L, E] */
    struct arena memory;
};

/* capacity: rows of a pass at most; tokens: context tokens at most. setup must outlive the pass. */
enum err_code vector_pass_create(struct vector_pass *p, const struct method_setup *setup,
                                 size_t capacity, size_t tokens, bool for_backward,
                                 struct err *err);
void vector_pass_destroy(struct vector_pass *p);
size_t vector_pass_bytes(const struct method_setup *setup, size_t capacity, size_t tokens,
                         bool for_backward);

/* The same for queries of several tokens (query.h). */
struct vector_pass_size {
    size_t capacity, tokens, earlier; /* earlier: rows that follow the first of a query, at most */
    bool for_backward;
};
enum err_code vector_pass_create_long(struct vector_pass *p, const struct method_setup *setup,
                                      const struct vector_pass_size *size, struct err *err);
size_t vector_pass_bytes_long(const struct method_setup *setup,
                              const struct vector_pass_size *size);

/* Computes the vector for weights w, which outlive the runs that follow. b: one row per query, one
 * row for all (a mean), or NULL for methods without a basis. */
void vector_pass_set(struct vector_pass *p, const struct basis *b, const float *w);

/* Fills query.prediction [rows->R] under the vector that was set. */
void vector_pass_run(struct vector_pass *p, const struct context *c, const struct query_rows *rows);

/* dw [weights], overwritten: the gradient of a loss whose derivative with respect to the
 * predictions is dprediction [rows->R] (of a family with a vocabulary: see query_backward()); b as
 * in vector_pass_set. */
void vector_pass_backward(float *dw, struct vector_pass *p, const struct context *c,
                          const struct query_rows *rows, const struct basis *b,
                          const float *dprediction);

#endif
