/*
 * family.h - model families as rows of data: the tensors of a family and their published names, its
 * kind of embedding and its kind of output.
 *
 * To add a family, write one file (docs/extending.md); a tensor that no family had before also
 * needs a row in params.h.  Other code reads the row with family_of() and never asks which it is.
 *
 * All families are pre-norm decoders.  What a row does not say follows from the tensors it names:
 * with wpe, positions are learned; with gate_w, the MLP is gated, act(gate) * fc; with q_norm_w,
 * each head of q and k is normalised; without ln_2_w, attention and MLP share ln_1, which requires
 * the parallel residual.  What varies inside a family is in struct model_dims.
 */
#ifndef MODEL_FAMILY_H
#define MODEL_FAMILY_H

#include "model/params.h"

enum family_embedding {
    EMBEDDING_READ_IN, /* real vectors [inputs] through an affine map, read_in_w and read_in_b */
    EMBEDDING_TOKENS   /* token ids: rows of wte */
};

enum family_output {
    OUTPUT_READ_OUT,  /* one real prediction: read_out_w and read_out_b */
    OUTPUT_VOCABULARY /* V logits: the residual stream times the transpose of head_w, or of wte */
};

enum family_norm { NORM_LAYER, NORM_RMS };

/* The matrices of q, k and v. */
enum family_attention {
    ATTENTION_PACKED,  /* attn_w: all q, all k, all v */
    ATTENTION_BY_HEAD, /* attn_w: q, k and v of one head after the other */
    ATTENTION_SEPARATE /* q_w, k_w, v_w */
};

/* The published name of each tensor of params.h; NULL: the family has no such tensor. */
struct family_names {
#define X(member, rows, columns, when) const char *member;
    PARAMS_ONCE(X, X)
#undef X
};

/* The same for a layer: the part of the name after layer_prefix and the number of the layer. */
struct family_layer_names {
#define X(member, ...) const char *member;
    PARAMS_LAYER(X, X)
#undef X
};

struct family {
    const char *title; /* for messages */
    enum family_embedding embedding;
    enum family_output output;
    enum family_norm norm;
    enum family_attention attention;
    enum linear_layout layout; /* of the matrices of a layer */
    enum rotary_pairs pairs;
    bool biased; /* every map of a layer has its bias, whatever the dims say */
    struct family_names names;
    const char *layer_prefix; /* "_backbone.h." */
    const struct family_layer_names *layer;
};

extern const struct family family_gpt2_regression, family_gpt2_regression_unlearned;
extern const struct family family_gpt2, family_gptj, family_neox;
extern const struct family family_llama, family_mistral, family_qwen2, family_qwen3;

const struct family *family_of(const struct model_dims *d);

/* The published name of a tensor of layer l; name: a member of f->layer. */
void family_layer_name(char out[PARAMS_NAME], const struct family *f, size_t l, const char *name);

#endif
