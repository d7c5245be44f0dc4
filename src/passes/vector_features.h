/*
 * vector_features.h - the task vectors of many functions as rows of numbers, by layer: what a
 * regression can read.
 *
 * The numbers of a function are the values of the edits that a method makes for it, whatever the
 * form of its vector. Edits that are maps have no values.
 */
#ifndef PASSES_VECTOR_FEATURES_H
#define PASSES_VECTOR_FEATURES_H

#include "methods/vector_pass.h"

struct vector_features_options {
    const struct method_setup *setup;
    const struct method *control; /* made from the setup's method; NULL: the method itself */
    struct rng stream;            /* of the control's draws */
    size_t chunk, functions;
};

struct vector_features {
    struct vector_features_options o;
    struct vector_pass pass;
    float *remade; /* [edits, chunk, E] values of a control, or NULL */
    size_t *width; /* [L] numbers of each layer; 0: it is not edited */
    size_t all;    /* of all layers */
    float *x;      /* [functions, all], layer by layer; NULL before the first chunk */
};

/* ERR_MEMORY. */
enum err_code vector_features_create(struct vector_features *f,
                                     const struct vector_features_options *o, struct err *err);
void vector_features_destroy(struct vector_features *f); /* idempotent */
size_t vector_features_bytes(const struct vector_features_options *o);

/* Functions first .. first + n - 1, n <= chunk. basis: as vector_pass_set() takes it. ERR_MEMORY.
 */
enum err_code vector_features_add(struct vector_features *f, const struct basis *basis,
                                  const float *w, size_t first, size_t n, struct err *err);

/* out [functions, width[l]]; [functions, all] for l = L. */
void vector_features_layer(double *out, const struct vector_features *f, size_t l);

#endif
