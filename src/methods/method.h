/*
 * method.h - how a task vector is made and where it is applied; the registry of methods.
 *
 * One file a method.  A method turns a basis (what the heads did at the query of a basis prompt)
 * and its learned weights into v[l], and, when it learns, g[l] = dLoss/dv[l] into a gradient of the
 * weights (design 3.4).  Whatever it does not need is NULL or 0.  Controls are methods too.
 */
#ifndef METHODS_METHOD_H
#define METHODS_METHOD_H

#include <stdbool.h>

#include "base/rng.h"
#include "config/config.h"
#include "model/edit.h"
#include "model/params.h"

/* Which prompt the query is read in. */
enum method_prompt {
    METHOD_WHOLE,  /* all of it */
    METHOD_WINDOW, /* only the last T0 - 1 pairs and the query, at positions 0 .. 2 T0 - 2 */
    METHOD_ORACLE  /* whole where k is within the trained range, beyond it the window */
};

struct method;

struct method_setup { /* a method with its numbers; filled by method_setup_read */
    const struct method *method;
    const struct params *params; /* the frozen model */
    int variant;                 /* the method's own choice, such as the reading of ltv */
    double init;                 /* standard deviation of the initial weights */
};

/* What the model did at the last x of each row's basis prompt: rows of the query stream. */
struct basis {
    size_t R, stride; /* row r of layer l is at (l * stride + r) * E */
    const float *z;   /* concatenated head outputs */
    const float *a;   /* attention block's output, z W_o + b */
};

struct method {
    const char *name, *meaning, *paper;
    enum edit_scope scope;
    enum method_prompt prompt;
    bool needs_basis;
    const char *const *variants;   /* names of setup.variant, NULL-terminated, or NULL */
    const struct config_key *keys; /* rows "NAME.KEY", when "method=NAME" */
    size_t n_keys;
    void (*read)(struct method_setup *s, const struct config_point *point); /* NULL: no keys */

    /* Numbers to learn; NULL or 0: nothing to fit, the method exists in `evaluate` alone. */
    size_t (*weights)(const struct method_setup *s);
    void (*weights_shape)(size_t shape[2],
                          const struct method_setup *s); /* [L, H], [L, E], [L, 1] */
    void (*init)(float *w, const struct method_setup *s, const struct rng *stream);

    /* v [L, b->R, E] (row r of layer l at (l * b->R + r) * E), or [L, E] when !needs_basis; one row
     * serves every row of the pass. NULL: no vector, nothing is edited. */
    void (*vector)(float *v, const float *w, const struct basis *b, const struct method_setup *s,
                   float *scratch);
    /* dw overwritten. g: loss after each block, row r of layer l at (l * g_stride + r) * E; R is
     * b->R where the method needs a basis. dw [weights] is the sum over rows. */
    void (*gradient)(float *dw, const float *g, size_t g_stride, size_t R, const struct basis *b,
                     const struct method_setup *s, float *scratch);
    size_t (*scratch)(const struct method_setup *s, size_t R); /* floats both need; NULL: none */
};

size_t method_count(void);
const struct method *method_at(size_t i);
const struct method *method_find(const char *name);
bool method_learns(const struct method *m);

/* Names of the methods without weights, NULL-terminated: the choices of `also`. */
extern const char *const METHOD_CONTROLS[];

/* "heads" for ltv; "" where the method has one form only. */
const char *method_variant(const struct method_setup *s);

/* Rows "method" (AXIS, over the names in the registry) and every method's own. learning_only: for
 * `fit`. */
enum err_code method_schema(struct config_schema *out, bool learning_only, struct err *err);
void method_setup_read(struct method_setup *out, const struct config_point *point,
                       const struct params *params);
/* The same by name, with the method's first variant and initial weights 0. */
void method_setup_named(struct method_setup *out, const char *name, const struct params *params);

/* Edits [L] that add v [L, R, E] at every block's output; R = 1: the same for every row. */
void method_edits(struct edit *items, struct edits *out, const float *v, size_t R,
                  const struct method_setup *s);

#endif
