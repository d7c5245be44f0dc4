/*
 * basis_set.h - the basis of many prompts, stored compactly: rows of it, their mean, views.
 *
 * basis_collector.h fills a set from prompts.
 */
#ifndef ACTIVATIONS_BASIS_SET_H
#define ACTIVATIONS_BASIS_SET_H

#include "activations/basis.h"
#include "model/query.h"

struct basis_set {
    struct model_dims dims;
    unsigned parts; /* basis_bit() of the parts that are stored */
    size_t n;
    float *part[BASIS_PARTS]; /* [blocks, n, basis_width()], or NULL */
    struct arena memory;
};

enum err_code basis_set_create(struct basis_set *s, const struct model_dims *dims, unsigned parts,
                               size_t n, struct err *err);
void basis_set_destroy(struct basis_set *s);
size_t basis_set_bytes(const struct model_dims *dims, unsigned parts, size_t n);

/* Two passes over the queries of basis prompts: with their context, and for BASIS_ALONE without. */
enum basis_pass { BASIS_PASS_WHOLE, BASIS_PASS_ALONE };
bool basis_pass_needed(unsigned parts, enum basis_pass pass);

/* Rows first .. first + R - 1 from rows 0 .. R - 1 of a query pass without edits. BASIS_STEP,
 * BASIS_ANCHORS and BASIS_RECENT take more than one pass: basis_collector.h. */
void basis_set_take(struct basis_set *s, size_t first, const struct query *q, size_t R,
                    enum basis_pass pass);

/* For a mean: adds row r of a query pass without edits to sum [basis_set_floats], the blocks of all
 * stored parts one after the other; the last function sets row 0 to sum / n. */
size_t basis_set_floats(const struct basis_set *s);
void basis_set_add(double *sum, const struct basis_set *s, const struct query *q, size_t r,
                   enum basis_pass pass);
void basis_set_add_row(double *sum, const struct basis_set *s, size_t r); /* row r of the set */
void basis_set_mean(struct basis_set *s, const double *sum, size_t n);

/* Rows first .. first + R - 1 as methods read them; valid as long as the set. */
struct basis basis_set_view(const struct basis_set *s, size_t first, size_t R);

#endif
