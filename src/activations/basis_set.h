/*
 * basis_set.h - the basis of many prompts, kept compact, and how it is collected.
 */
#ifndef ACTIVATIONS_BASIS_SET_H
#define ACTIVATIONS_BASIS_SET_H

#include "activations/basis.h"
#include "model/query.h"
#include "sources/prompt_view.h"

struct basis_set {
    struct model_dims dims;
    unsigned parts; /* basis_bit() of those that are kept */
    size_t n;
    float *part[BASIS_PARTS]; /* [blocks, n, E], or NULL */
    struct arena memory;
};

enum err_code basis_set_create(struct basis_set *s, const struct model_dims *dims, unsigned parts,
                               size_t n, struct err *err);
void basis_set_destroy(struct basis_set *s);
size_t basis_set_bytes(const struct model_dims *dims, unsigned parts, size_t n);

/* Parts of the prompts as they are, or with nothing before the query: BASIS_ALONE. */
enum basis_pass { BASIS_PASS_WHOLE, BASIS_PASS_ALONE };
bool basis_pass_needed(unsigned parts, enum basis_pass pass);

/* Rows first .. first + R - 1 from the rows 0 .. R - 1 of a plain query pass: all parts but
 * BASIS_STEP, which only a collector knows. */
void basis_set_take(struct basis_set *s, size_t first, const struct query *q, size_t R,
                    enum basis_pass pass);

/* For a mean: adds row r of a plain query pass to sum [basis_set_floats], the blocks of every part
 * kept, one after the other; and row 0 becomes sum / n. */
size_t basis_set_floats(const struct basis_set *s);
void basis_set_add(double *sum, const struct basis_set *s, const struct query *q, size_t r,
                   enum basis_pass pass);
void basis_set_add_row(double *sum, const struct basis_set *s, size_t r); /* row r of the set */
void basis_set_mean(struct basis_set *s, const double *sum, size_t n);

/* Rows first .. first + R - 1 as a method wants them. */
struct basis basis_set_view(const struct basis_set *s, size_t first, size_t R);

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
