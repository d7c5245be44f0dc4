/*
 * params.h - the tensors of a model: one row each, with the member that points to it and its shape.
 *
 * Layouts are those of the published models' state_dict (GPT-2: attention and MLP weights are
 * [in, out], read_in_w, read_out_w and wte [out, in]); the published names are in the family's row
 * (family.h). A member whose tensor the family does not have stays NULL. All tensors lie in one
 * block in the order of params_at(), so gradients, moments and sums are one loop over
 * params_count() floats.
 */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/dims.h"

/* X(member, rows, columns): every tensor that a model of some family has once; columns 0: a vector
 * of `rows`. d: const struct model_dims *. The family names those that its models have. */
#define PARAMS_ONCE(X)                                                                             \
    X(read_in_w, d->E, d->inputs)                                                                  \
    X(read_in_b, d->E, 0)                                                                          \
    X(wte, d->vocabulary, d->E)                                                                    \
    X(wpe, d->positions, d->E)                                                                     \
    X(ln_f_w, d->E, 0)                                                                             \
    X(ln_f_b, d->E, 0)                                                                             \
    X(read_out_w, 1, d->E)                                                                         \
    X(read_out_b, 1, 0)

/* The same for each layer. */
#define PARAMS_LAYER(X)                                                                            \
    X(ln_1_w, d->E, 0)                                                                             \
    X(ln_1_b, d->E, 0)                                                                             \
    X(attn_w, d->E, 3 * d->E)                                                                      \
    X(attn_b, 3 * d->E, 0)                                                                         \
    X(proj_w, d->E, d->E)                                                                          \
    X(proj_b, d->E, 0)                                                                             \
    X(ln_2_w, d->E, 0)                                                                             \
    X(ln_2_b, d->E, 0)                                                                             \
    X(fc_w, d->E, 4 * d->E)                                                                        \
    X(fc_b, 4 * d->E, 0)                                                                           \
    X(mlp_w, 4 * d->E, d->E)                                                                       \
    X(mlp_b, d->E, 0)

enum { PARAMS_NAME = 64 }; /* room for a published name */

struct layer_params {
#define X(member, rows, columns) float *member;
    PARAMS_LAYER(X)
#undef X
};

struct params {
    struct model_dims dims;
#define X(member, rows, columns) float *member;
    PARAMS_ONCE(X)
#undef X
    struct layer_params *layers; /* [L] */
    float *block; /* all of them, params_count() floats; NULL when the tensors are borrowed. Padding
                     between tensors is 0 and stays 0 under any elementwise update */
    struct arena memory;
};

struct param_info {
    char name[PARAMS_NAME];
    size_t rank, shape[2];
    float *data;
};

/* All zeros. H divides E; every size that the family uses is at least 1. */
enum err_code params_create(struct params *p, const struct model_dims *dims, struct err *err);
void params_destroy(struct params *p); /* NULL members are fine; idempotent */

/* The table alone, for tensors that are stored elsewhere: set each of them by params_place(). */
enum err_code params_borrow(struct params *p, const struct model_dims *dims, struct err *err);
void params_place(struct params *p, size_t i, float *data);

size_t params_count(const struct model_dims *dims);   /* floats of the block, padding included */
size_t params_weights(const struct model_dims *dims); /* the number of parameters, for reports */
size_t params_tensors(const struct model_dims *dims);
/* Tensor i < params_tensors(), in the order of the block: layer by layer, then PARAMS_ONCE. In a
 * file that holds them in this order without gaps, all start at multiples of 64 bytes when E is a
 * multiple of 16, because read_out_b, the one tensor of another size, is the last. */
void params_at(struct param_info *out, const struct params *p, size_t i);

/* GPT-2's initialisation as in Garg et al.'s training code: N(0, .02^2), output projections divided
 * by sqrt(2 L), LayerNorm gains 1, all biases 0; read-in and read-out have PyTorch's default for
 * linear layers, uniform within 1/sqrt(fan in). A pure function of (seed, tensor name, row,
 * column), so a longer wpe extends a shorter one. */
void params_init(struct params *p, uint64_t seed);

#endif
