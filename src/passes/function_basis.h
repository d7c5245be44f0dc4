/*
 * function_basis.h - the basis from which the vector of each test function is made, a chunk at a
 * time.
 *
 * It is that of a separate prompt of the same function; the mean basis of the fit where it has one;
 * empty where the method has none. With the control `mismatched` each function gets the basis of
 * the next one.
 */
#ifndef PASSES_FUNCTION_BASIS_H
#define PASSES_FUNCTION_BASIS_H

#include "methods/method.h"
#include "sources/source.h"

struct function_basis_options {
    const struct method_setup *setup; /* must outlive the bases, as w, control and mean */
    const float *w;                   /* the method's weights, or NULL */
    const struct method *control;     /* NULL: the method itself */
    const struct basis_set *mean;     /* one row for all functions; NULL: there is none */
    struct source *prompts; /* owned from here on, also after an error; NULL: no basis per function
                             */
    size_t T0, chunk, functions;
    enum context_precision contexts;
    const struct context_share *share; /* NULL: contexts are not shared */
};

struct function_basis {
    struct function_basis_options o;
    struct basis_collector *collector;
    struct basis_set set; /* [chunk] */
};

/* ERR_MEMORY. */
enum err_code function_basis_create(struct function_basis *b,
                                    const struct function_basis_options *o, struct err *err);
void function_basis_destroy(struct function_basis *b); /* idempotent */

/* Of what create() takes for bases of functions, with the chunk that it reserves in `prompts`. */
size_t function_basis_bytes(const struct method_setup *setup, const struct source *prompts,
                            size_t T0, size_t chunk, enum context_precision contexts);

/* Of functions first .. first + n - 1, n <= chunk; valid until the next call. prompts: those that
 * it is of, n 0 where there are none; or NULL. */
struct basis function_basis_find(struct function_basis *b, struct prompt_view *prompts,
                                 size_t first, size_t n);

#endif
