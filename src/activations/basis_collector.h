/*
 * basis_collector.h - runs the model over prompts and takes their basis (basis.h).
 *
 * A collector is made once for a length T0 and a chunk, which decides bits, and runs as often as
 * wanted. Rows of a set come out in the order of the prompts.
 */
#ifndef ACTIVATIONS_BASIS_COLLECTOR_H
#define ACTIVATIONS_BASIS_COLLECTOR_H

#include "activations/basis_set.h"
#include "sources/prompt_view.h"

/* Fills rows 0 .. n - 1 of a set with the basis of n prompts at their point T0 (1-based, T0 <=
 * points), in passes of `chunk` prompts; s->n >= n. Made once, it runs as often as wanted. */
struct basis_collector;
enum err_code basis_collector_create(struct basis_collector **out, const struct model_dims *dims,
                                     size_t T0, size_t chunk, enum context_precision contexts,
                                     struct err *err);
void basis_collector_destroy(struct basis_collector *c); /* NULL-safe */

/* BASIS_RECENT is the mean over the last `recent` x's, or over all T0 where those are fewer; 1
 * until told. */
void basis_collector_recent(struct basis_collector *c, size_t recent);

/* Queries that belong to no prompt, asked after the T0 - 1 pairs of each. Row i of rows [n, inputs
 * + 2 E]: its x, its last state with no example before it, its shares. Block k of BASIS_ANCHORS is
 * the sum over i of share k of i times what the pairs change in the last state of i. */
struct basis_anchors {
    size_t n;          /* 0: none */
    const float *rows; /* must stay */
};
enum err_code basis_collector_anchor(struct basis_collector *c, const struct basis_anchors *a,
                                     const struct model_dims *dims, struct err *err);
size_t basis_anchors_bytes(const struct model_dims *dims, size_t T0, size_t n);

size_t basis_collector_bytes(const struct model_dims *dims, size_t T0, size_t chunk,
                             enum context_precision contexts);
void basis_collector_run(struct basis_set *s, struct basis_collector *c, const struct params *p,
                         const struct prompt_view *prompts);
/* The same into rows row .. row + n - 1. */
void basis_collector_run_at(struct basis_set *s, size_t row, struct basis_collector *c,
                            const struct params *p, const struct prompt_view *prompts);

/* Once, with contexts in single precision. */
enum err_code basis_set_collect(struct basis_set *s, const struct params *p,
                                const struct prompt_view *prompts, size_t T0, size_t chunk,
                                struct err *err);

#endif
