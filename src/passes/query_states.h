/*
 * query_states.h - the states of one query under a method, after given numbers of examples.
 *
 * The query is the last x of a prompt, which is not among the examples, whatever their number: so
 * clouds of states at two numbers of examples are of the same functions and the same queries, and
 * differ in what was shown alone.
 */
#ifndef PASSES_QUERY_STATES_H
#define PASSES_QUERY_STATES_H

#include "passes/curve.h"

enum { QUERY_STATES_MOST = 32 }; /* numbers of examples */

struct query_states {
    struct curve curve;
    struct curve_watch watch;
    size_t k[QUERY_STATES_MOST], n_k;
    size_t functions; /* rows of states and predictions */
    float *query_x;   /* [chunk, points, dims] the last x at every point */
    float *columns;   /* [chunk, points] predictions of curve_step() */
    float *states;    /* [n_k, L, functions, E] the residual stream after each block, after the last
                         one and the final norm */
    float *prediction; /* [n_k, functions] */
    size_t first;      /* of the chunk that runs */
    struct arena memory;
};

/* o: of the curve; its watch is set here. k [n_k], each below o->points. ERR_MEMORY. */
enum err_code query_states_create(struct query_states *s, const struct curve_options *o,
                                  const size_t *k, size_t n_k, size_t functions, struct err *err);
void query_states_destroy(struct query_states *s); /* idempotent */
size_t query_states_bytes(const struct model_dims *dims, const struct curve_options *o, size_t n_k,
                          size_t functions);

/* Rows first .. first + n - 1, n = prompts->n <= chunk; basis and w as in curve_begin(). */
void query_states_run(struct query_states *s, const struct prompt_view *prompts,
                      const struct basis *basis, const float *w, size_t first);

/* The states at k[i] after block l: [functions, E]. */
const float *query_states_at(const struct query_states *s, size_t i, size_t l);

#endif
