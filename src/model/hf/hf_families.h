/*
 * hf_families.h - what the config.json of a family says, leaves out and means: one row a
 * model_type.
 *
 * To add a family, define its row in a file of its own (docs/extending.md), and add a line to
 * HF_FAMILIES in hf_families.c.
 */
#ifndef MODEL_HF_FAMILIES_H
#define MODEL_HF_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "model/family.h"

enum hf_rotary {
    HF_ROTARY_NONE,     /* learned positions */
    HF_ROTARY_COUNT,    /* rotary_dim coordinates of a head */
    HF_ROTARY_FRACTION, /* a fraction of them: rotary_pct or partial_rotary_factor */
    HF_ROTARY_WHOLE     /* all of them */
};

/* A property that config.json decides, or that all models of the family share. */
struct hf_flag {
    bool read; /* false: all have `value`; a config that says otherwise is refused */
    bool value;
};

struct hf_family {
    const char *model_type;
    const char *architecture; /* class of transformers, for folders that are written */
    bool short_keys;          /* its config.json has n_embd, n_layer, ... for hidden_size, ... */
    const struct family *tensors;
    const char *epsilon_key;
    double epsilon;
    const char *activation;
    enum hf_rotary rotary;
    double rotary_default; /* coordinates, or fraction */
    bool scales;           /* rope_theta and rope_scaling are read; else 10000 and none */
    bool grouped;          /* num_key_value_heads is read */
    bool grouped_said; /* and must be given: the defaults of the classes are a certain model's */
    bool wide_mlp;     /* an absent MLP width means 4 E */
    struct hf_flag attention_bias, mlp_bias, parallel;
    bool biased_output;   /* attention_bias is also that of the projection after attention */
    bool tied;            /* if config.json does not say */
    bool scores_vary;     /* scale_attn_weights and scale_attn_by_inverse_layer_idx are read */
    size_t window;        /* sliding_window if config.json lacks the key; 0: none */
    bool window_switched; /* it is in use only if use_sliding_window says so */
};

const struct hf_family *hf_family_find(const char *model_type); /* NULL: not known */
extern const char *const HF_FAMILY_NAMES[];                     /* every model_type, then NULL */
void hf_family_list(struct text *out);                          /* "gpt2, gptj, ..." */

#endif
