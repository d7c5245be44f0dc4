/*
 * params.h - every tensor of a model, one row each: member, published name, shape.
 *
 * Names and layouts are those of the published models' state_dict (GPT-2: attn.* and mlp.* weights
 * are [in, out], _read_in and _read_out are [out, in]).  All tensors lie in one block in table
 * order, so gradients, moments and sums are one loop over params_count() floats.
 */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/dims.h"

/* X(member, name, rows, columns); columns 0: a vector of `rows`. d: const struct model_dims *. */
#define PARAMS_ONCE(X)                                                                             \
    X(read_in_w, "_read_in.weight", d->E, d->inputs)                                               \
    X(read_in_b, "_read_in.bias", d->E, 0)                                                         \
    X(wpe, "_backbone.wpe.weight", d->positions, d->E)                                             \
    X(ln_f_w, "_backbone.ln_f.weight", d->E, 0)                                                    \
    X(ln_f_b, "_backbone.ln_f.bias", d->E, 0)                                                      \
    X(read_out_w, "_read_out.weight", 1, d->E)                                                     \
    X(read_out_b, "_read_out.bias", 1, 0)

/* The same for each layer; names follow "_backbone.h.LAYER.". */
#define PARAMS_LAYER(X)                                                                            \
    X(ln_1_w, "ln_1.weight", d->E, 0)                                                              \
    X(ln_1_b, "ln_1.bias", d->E, 0)                                                                \
    X(attn_w, "attn.c_attn.weight", d->E, 3 * d->E)                                                \
    X(attn_b, "attn.c_attn.bias", 3 * d->E, 0)                                                     \
    X(proj_w, "attn.c_proj.weight", d->E, d->E)                                                    \
    X(proj_b, "attn.c_proj.bias", d->E, 0)                                                         \
    X(ln_2_w, "ln_2.weight", d->E, 0)                                                              \
    X(ln_2_b, "ln_2.bias", d->E, 0)                                                                \
    X(fc_w, "mlp.c_fc.weight", d->E, 4 * d->E)                                                     \
    X(fc_b, "mlp.c_fc.bias", 4 * d->E, 0)                                                          \
    X(mlp_w, "mlp.c_proj.weight", 4 * d->E, d->E)                                                  \
    X(mlp_b, "mlp.c_proj.bias", d->E, 0)

struct layer_params {
#define X(member, name, rows, columns) float *member;
    PARAMS_LAYER(X)
#undef X
};

struct params {
    struct model_dims dims;
#define X(member, name, rows, columns) float *member;
    PARAMS_ONCE(X)
#undef X
    struct layer_params *layers; /* [L] */
    float *block; /* all of them, params_count() floats; padding between tensors is 0, and stays 0
                     under any elementwise update; NULL when the tensors are borrowed */
    struct arena memory;
};

struct param_info {
    char name[64];
    size_t rank, shape[2];
    float *data;
};

/* All zeros. H divides E; every size is at least 1. */
enum err_code params_create(struct params *p, const struct model_dims *dims, struct err *err);
void params_destroy(struct params *p); /* NULL members are fine; idempotent */

/* The table alone, for tensors that live elsewhere: params_place() each of them. */
enum err_code params_borrow(struct params *p, const struct model_dims *dims, struct err *err);
void params_place(struct params *p, size_t i, float *data);

size_t params_count(const struct model_dims *dims);   /* floats of the block, padding included */
size_t params_weights(const struct model_dims *dims); /* numbers of the model, for people */
size_t params_tensors(const struct model_dims *dims);
/* Tensor i < params_tensors(), in the order of the block: layer by layer, then PARAMS_ONCE.
 * Written one after the other in this order, all start at multiples of 64 bytes when E is a
 * multiple of 16: the one tensor of another size is the last. */
void params_at(struct param_info *out, const struct params *p, size_t i);

/* GPT-2's initialisation as in the published training: N(0, .02), output projections divided by
 * sqrt(2 L), LayerNorm 1 and 0, read-in and read-out PyTorch's Linear default (uniform within
 * 1/sqrt(fan in)). A pure function of (seed, tensor name, row, column): a longer wpe extends a
 * shorter one. */
void params_init(struct params *p, uint64_t seed);

#endif
