/*
 * basis_set.h - what the heads did at the query of many basis prompts: the stuff vectors are made
 * of.
 *
 * The query of a basis prompt is its point T0; the T0 - 1 pairs before it are its context.  Kept
 * compact, row i of layer l at (l * n + i) * E, and only what the method reads.
 */
#ifndef STAGES_BASIS_SET_H
#define STAGES_BASIS_SET_H

#include "methods/method.h"
#include "model/query.h"
#include "stages/prompt_view.h"

struct basis_set {
    size_t L, n, E;
    float *z, *a; /* [L, n, E] */
    struct arena memory;
};

enum err_code basis_set_create(struct basis_set *s, const struct model_dims *dims, size_t n,
                               struct err *err);
void basis_set_destroy(struct basis_set *s);
size_t basis_set_bytes(const struct model_dims *dims, size_t n);

/* Rows first .. first + R - 1 from the rows 0 .. R - 1 of a plain query pass. */
void basis_set_take(struct basis_set *s, size_t first, const struct query *q, size_t R);

/* Rows first .. first + R - 1 as a method wants them. */
struct basis basis_set_view(const struct basis_set *s, size_t first, size_t R);

/* Fills rows 0 .. n - 1 of a set with the basis of n prompts at their point T0 (1-based, T0 <=
 * points), in passes of `chunk` prompts; s->n >= n. Made once, it runs as often as wanted. */
struct basis_collector;
enum err_code basis_collector_create(struct basis_collector **out, const struct model_dims *dims,
                                     size_t T0, size_t chunk, enum context_precision contexts,
                                     struct err *err);
void basis_collector_destroy(struct basis_collector *c); /* NULL-safe */
size_t basis_collector_bytes(const struct model_dims *dims, size_t T0, size_t chunk,
                             enum context_precision contexts);
void basis_collector_run(struct basis_set *s, struct basis_collector *c, const struct params *p,
                         const struct prompt_view *prompts);

/* Once, with contexts in single precision. */
enum err_code basis_set_collect(struct basis_set *s, const struct params *p,
                                const struct prompt_view *prompts, size_t T0, size_t chunk,
                                struct err *err);

#endif
