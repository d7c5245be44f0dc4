/*
 * family.h - a model family is a row of data: which tensors its models have, what published files
 * call them, how a token enters the residual stream and how an answer leaves it.
 *
 * Code asks for the row with family_of() and never compares family_id. Both rows so far are GPT-2
 * (Radford et al. 2019): LayerNorm before attention and MLP, GELU, learned positions, biases
 * everywhere, residual additions one after the other. So the row holds only what the two differ in.
 * A family that differs elsewhere adds a field: block.c is where the kind of norm, the kind of MLP
 * and the residual layout would be asked for, the attention of context.c, query.c and forward.c
 * where rotary positions and grouped heads would, embed.c where learned positions would.
 *
 * To add a family: an entry of enum family_id (dims.h) and a row in family.c. A tensor that no
 * family had before also needs a row in params.h.
 */
#ifndef MODEL_FAMILY_H
#define MODEL_FAMILY_H

#include "model/params.h"

enum family_embedding {
    EMBEDDING_READ_IN, /* real vectors [inputs] through an affine map, read_in_w and read_in_b */
    EMBEDDING_TOKENS   /* token ids: rows of wte */
};

enum family_output {
    OUTPUT_READ_OUT, /* one real prediction: read_out_w and read_out_b */
    OUTPUT_TIED      /* V logits: the residual stream times the transpose of wte */
};

/* Published names, member by member of params.h; NULL: the family has no such tensor. */
struct family_names {
#define X(member, rows, columns) const char *member;
    PARAMS_ONCE(X)
#undef X
};

struct family_layer_names { /* what follows layer_prefix and the number of the layer */
#define X(member, rows, columns) const char *member;
    PARAMS_LAYER(X)
#undef X
};

struct family {
    const char *title; /* for messages */
    enum family_embedding embedding;
    enum family_output output;
    struct family_names names;
    const char *layer_prefix; /* "_backbone.h." */
    const struct family_layer_names *layer;
};

const struct family *family_of(const struct model_dims *d);

/* The published name of a tensor of layer l; name: a member of f->layer. */
void family_layer_name(char out[PARAMS_NAME], const struct family *f, size_t l, const char *name);

#endif
