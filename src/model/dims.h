/*
 * dims.h - the family and the sizes of a model, named by the symbols of the papers.
 */
#ifndef MODEL_DIMS_H
#define MODEL_DIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "ops/activation.h"
#include "ops/rotary.h"

struct family; /* family.h */

/* A model of GPT-2's shape needs only the members up to `family`; the others are 0 for it. */
struct model_dims {
    size_t L;          /* layers */
    size_t H;          /* heads */
    size_t E;          /* width of the residual stream */
    size_t inputs;     /* coordinates of x: the width of a token before the read-in map; 0 for
                          families that embed token ids */
    size_t vocabulary; /* V: token ids are below it; 0 for families with a read-in map */
    size_t positions;  /* the longest sequence, in tokens; rows of wpe, if the family has it */
    float epsilon;     /* of every norm */
    const struct family *family; /* NULL: family_gpt2_regression */

    size_t KV; /* key-value heads, a divisor of H; 0: H */
    size_t D;  /* width of a head; 0: E / H, and H divides E */
    size_t F;  /* width of the MLP; 0: 4 E */
    /* A token attends to itself and the window - 1 tokens before it, which this program does not
     * compute: longer sequences must be refused (length.h). 0: no sliding window is in use. */
    size_t window;
    struct rotary_dims rotary;
    enum activation_kind activation;

    /* What config.json decides inside a family. GPT-2 has all biases, whatever these say. */
    bool attention_bias;     /* of q, k and v */
    bool output_bias;        /* of the projection after attention */
    bool mlp_bias;           /* of all matrices of the MLP */
    bool tied;               /* the output matrix is the token embedding */
    bool parallel;           /* attention and MLP both read the block's input (NeoX) */
    bool unscaled_attention; /* scores without 1 / sqrt(D): scale_attn_weights = false */
    bool scaled_by_layer;    /* scores divided by l + 1: scale_attn_by_inverse_layer_idx */
};

static inline size_t model_head_width(const struct model_dims *d) {
    return d->D > 0 ? d->D : d->E / d->H;
}

static inline size_t model_key_heads(const struct model_dims *d) {
    return d->KV > 0 ? d->KV : d->H;
}

static inline size_t model_mlp_width(const struct model_dims *d) {
    return d->F > 0 ? d->F : 4 * d->E;
}

/* H D: the width of z, the head outputs of a token side by side. */
static inline size_t model_heads_width(const struct model_dims *d) {
    return d->H * model_head_width(d);
}

static inline size_t model_keys_width(const struct model_dims *d) {
    return model_key_heads(d) * model_head_width(d);
}

/* Numbers of q, k and v of a token. */
static inline size_t model_qkv_width(const struct model_dims *d) {
    return model_heads_width(d) + 2 * model_keys_width(d);
}

/* Points of the longest regression prompt: a point (x, y) is two tokens. */
static inline size_t model_points(const struct model_dims *d) { return d->positions / 2; }

#endif
