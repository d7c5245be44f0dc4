/*
 * params.h - the tensors of a model: one row each, with the member that points to it and its shape.
 *
 * Layouts are those of the published models' state_dict; the published names are in the family's
 * row (family.h). A member whose tensor the model does not have stays NULL. Vectors and small
 * matrices are floats. The large matrices are struct weight: in a model that is trained they are
 * floats too, in one that is read they may point to halves in the file.  All tensors of a model
 * that is trained lie in one block in the order of params_at(), so gradients, moments and sums are
 * one loop over params_count() floats.
 */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "model/dims.h"
#include "ops/weight.h"

/* Every tensor that a model of some family has once: X(member, rows, columns, when) for floats,
 * W(..) for a struct weight. columns 0: a vector of `rows`. d: const struct model_dims *. A model
 * has the tensor if its family names it and `when` holds. */
#define PARAMS_ONCE(X, W)                                                                          \
    X(read_in_w, d->E, d->inputs, true)                                                            \
    X(read_in_b, d->E, 0, true)                                                                    \
    W(wte, d->vocabulary, d->E, true)                                                              \
    X(wpe, d->positions, d->E, true)                                                               \
    X(ln_f_w, d->E, 0, true)                                                                       \
    X(ln_f_b, d->E, 0, true)                                                                       \
    X(read_out_w, 1, d->E, true)                                                                   \
    X(read_out_b, 1, 0, true)                                                                      \
    W(head_w, d->vocabulary, d->E, !d->tied)                                                       \
    X(head_b, d->vocabulary, 0, true)

/* The same for each layer: X(member, size, when) for vectors, W(member, in, out) for matrices,
 * which are [in, out] or [out, in], depending on the family. The query, key and value matrices are
 * one (attn) or three. gate: the gated half of the MLP. */
#define PARAMS_LAYER(X, W)                                                                         \
    X(ln_1_w, d->E, true)                                                                          \
    X(ln_1_b, d->E, true)                                                                          \
    W(attn_w, d->E, model_qkv_width(d))                                                            \
    X(attn_b, model_qkv_width(d), d->attention_bias)                                               \
    W(q_w, d->E, model_heads_width(d))                                                             \
    X(q_b, model_heads_width(d), d->attention_bias)                                                \
    W(k_w, d->E, model_keys_width(d))                                                              \
    X(k_b, model_keys_width(d), d->attention_bias)                                                 \
    W(v_w, d->E, model_keys_width(d))                                                              \
    X(v_b, model_keys_width(d), d->attention_bias)                                                 \
    X(q_norm_w, model_head_width(d), true)                                                         \
    X(k_norm_w, model_head_width(d), true)                                                         \
    W(proj_w, model_heads_width(d), d->E)                                                          \
    X(proj_b, d->E, d->output_bias)                                                                \
    X(ln_2_w, d->E, true)                                                                          \
    X(ln_2_b, d->E, true)                                                                          \
    W(gate_w, d->E, model_mlp_width(d))                                                            \
    X(gate_b, model_mlp_width(d), d->mlp_bias)                                                     \
    W(fc_w, d->E, model_mlp_width(d))                                                              \
    X(fc_b, model_mlp_width(d), d->mlp_bias)                                                       \
    W(mlp_w, model_mlp_width(d), d->E)                                                             \
    X(mlp_b, d->E, d->mlp_bias)

enum { PARAMS_NAME = 64 }; /* room for a published name */

struct products;

struct layer_params {
#define X(member, size, when) float *member;
#define W(member, in, out) struct weight member;
    PARAMS_LAYER(X, W)
#undef X
#undef W
};

struct params {
    struct model_dims dims;
#define X(member, rows, columns, when) float *member;
#define W(member, rows, columns, when) struct weight member;
    PARAMS_ONCE(X, W)
#undef X
#undef W
    struct layer_params *layers; /* [L] */
    float *block; /* all of them, params_count() floats; NULL when the tensors are borrowed. Padding
                     between tensors is 0 and stays 0 under any elementwise update */
    float *tile;  /* scratch of products with matrices of halves; NULL: there are none */
    struct products *products; /* of model_products.h; NULL: all products are f32 by OpenBLAS */
    struct arena memory;
};

struct param_info {
    char name[PARAMS_NAME];
    size_t rank, shape[2];
    float *data;    /* NULL: not placed, or placed as halves */
    bool is_weight; /* it may be placed as halves */
};

/* All zeros. H divides E unless D is given; every size that the family uses is at least 1. */
enum err_code params_create(struct params *p, const struct model_dims *dims, struct err *err);
void params_destroy(struct params *p); /* NULL members are fine; idempotent */

/* The table alone, for tensors that are stored elsewhere: set each of them by params_place(). */
enum err_code params_borrow(struct params *p, const struct model_dims *dims, struct err *err);
void params_place(struct params *p, size_t i, float *data);
/* For tensors that are is_weight: 16-bit numbers at any address, which stay the caller's.
 * ERR_MEMORY. */
enum err_code params_place_narrow(struct params *p, size_t i, const void *data,
                                  enum weight_type type, struct err *err);

size_t params_count(const struct model_dims *dims);   /* floats of the block, padding included */
size_t params_weights(const struct model_dims *dims); /* the number of parameters, for reports */
size_t params_tensors(const struct model_dims *dims);
/* Tensor i < params_tensors(), in the order of the block: layer by layer, then PARAMS_ONCE. In a
 * file that holds them in this order without gaps, all start at multiples of 64 bytes when E is a
 * multiple of 16, because read_out_b, the one tensor of another size, is the last. */
void params_at(struct param_info *out, const struct params *p, size_t i);

/* GPT-2's initialisation as in Garg et al.'s training code: N(0, .02^2), output projections of
 * attention and MLP divided by sqrt(2 L), gains of norms 1, all biases 0; read-in and read-out have
 * PyTorch's default for linear layers, uniform within 1/sqrt(fan in). A pure function of (seed,
 * tensor name, row, column), so a longer wpe extends a shorter one. */
void params_init(struct params *p, uint64_t seed);

#endif
