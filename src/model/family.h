/*
 * family.h - model families as rows of data: the tensors of a family and their published names, its
 * kind of embedding and its kind of output.
 *
 * To add a family, add an entry to enum family_id (dims.h) and a row to the table in family.c; a
 * tensor that no family had before also needs a row in params.h.  Other code reads the row with
 * family_of() and never compares family_id.
 *
 * Both rows so far are GPT-2 (Radford et al. 2019): LayerNorm before attention and before the MLP,
 * GELU, learned positions, biases in all linear maps, attention and MLP added to the residual
 * stream one after the other.  A row therefore holds only the properties in which the two differ.
 * A family with another norm, MLP or residual layout needs a field that block.c reads; one with
 * rotary positions or grouped heads, a field that the attention of forward.c, context.c and query.c
 * reads; one without learned positions, a field that embed.c reads.
 */
#ifndef MODEL_FAMILY_H
#define MODEL_FAMILY_H

#include <stdbool.h>

#include "model/params.h"

enum family_embedding {
    EMBEDDING_READ_IN, /* real vectors [inputs] through an affine map, read_in_w and read_in_b */
    EMBEDDING_TOKENS   /* token ids: rows of wte */
};

enum family_output {
    OUTPUT_READ_OUT, /* one real prediction: read_out_w and read_out_b */
    OUTPUT_TIED      /* V logits: the residual stream times the transpose of wte */
};

/* The published name of each tensor of params.h; NULL: the family has no such tensor. */
struct family_names {
#define X(member, rows, columns) const char *member;
    PARAMS_ONCE(X)
#undef X
};

/* The same for a layer: the part of the name after layer_prefix and the number of the layer. */
struct family_layer_names {
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

bool family_is_known(enum family_id id); /* it has a row */

/* The row of d->family, which is a known one. */
const struct family *family_of(const struct model_dims *d);

/* The published name of a tensor of layer l; name: a member of f->layer. */
void family_layer_name(char out[PARAMS_NAME], const struct family *f, size_t l, const char *name);

#endif
