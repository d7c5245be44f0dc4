/*
 * hf_shape.h - a model to be trained, as the config.json of a Hugging Face folder would describe
 * it: the few numbers that are chosen; all else is the default of its family.
 */
#ifndef MODEL_HF_SHAPE_H
#define MODEL_HF_SHAPE_H

#include "model/hf/hf_config.h"

struct hf_shape {
    const struct hf_family *family;
    size_t layers, heads, width, positions, vocabulary;
    size_t key_heads; /* 0: heads */
    size_t mlp_width; /* 0: 4 width */
    double rotary_base;
    bool tied; /* the output matrix is the token embedding */
};

/* The text of a config.json that transformers reads. */
void hf_shape_write(struct text *out, const struct hf_shape *s);

/* The dims of the model, by the rules of hf_config_parse(): ERR_DATA for sizes that do not fit
 * together, and for a rotary base where the family has a fixed one or none. place: for messages. */
enum err_code hf_shape_dims(struct model_dims *out, const struct hf_shape *s, const char *place,
                            struct err *err);

/* The dims that a config.json describes, which says itself whether the output is tied. */
enum err_code hf_shape_read(struct model_dims *out, const char *text, const char *place,
                            struct err *err);

#endif
