/*
 * model_twin.h - a naive implementation of the model in double: one sequence, all tokens.
 *
 * The reference of the forward and backward pass, the context and the query stream, for all
 * families, written from the papers that family.c names.  It shares nothing with the code under
 * test; gradients are central differences.  Weights must be floats.
 */
#ifndef TWINS_MODEL_TWIN_H
#define TWINS_MODEL_TWIN_H

#include <stdbool.h>

#include "model/params.h"

struct twin_layer {
#define X(member, ...) double *member;
    PARAMS_LAYER(X, X)
#undef X
};

struct model_twin {
    struct model_dims dims;
#define X(member, ...) double *member;
    PARAMS_ONCE(X, X)
#undef X
    struct twin_layer *layers;
    double *x;                        /* [L + 1, positions, E] after l blocks, edits included */
    double *z, *a;                    /* [L, positions, H D], [L, positions, E] */
    double *prediction;               /* [positions, 1 or V] at every token */
    const struct twin_patch *patches; /* of the caller; none after create */
    size_t n_patches;
    bool steers; /* edits restore the norm of a token */
};

/* v -> keep * v + scale * values on coordinates [from, from + n) of one token; or, if it is set,
 * `map` applied to v [E]. Patches of one place apply in order. */
struct twin_patch {
    char site; /* 'z' head outputs, 'a' attention output, 'm' MLP output, 'x' the block's output
                  after edits, 'e' the embedding, as layer 0 */
    size_t layer, token, from, n;
    double keep, scale;
    const double *values; /* [n] */
    void (*map)(double *v, const void *context);
    const void *context;
};

/* Adds scale * values [E] to tokens first .. length - 1 at the output of block `layer`. */
struct twin_edit {
    size_t layer, first;
    double scale;
    const double *values;
};

struct model_twin model_twin_create(const struct params *p); /* exits when out of memory */
void model_twin_destroy(struct model_twin *t);

/* tokens [length, inputs], length <= positions. */
void model_twin_run(struct model_twin *t, const double *tokens, size_t length,
                    const struct twin_edit *edits, size_t n_edits);

/* The same for a family that embeds token ids [length]; no edits. */
void model_twin_run_ids(struct model_twin *t, const uint32_t *ids, size_t length);

/* The norm of the family, [T,E]. */
void model_twin_norm(double *y, const double *x, const double *gain, const double *bias, size_t T,
                     const struct model_twin *t);

/* Tensor i of params_at(), in double. */
double *model_twin_tensor(const struct model_twin *t, size_t i);

#endif
