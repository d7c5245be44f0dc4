#include "model/hf/hf_config.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/hf/hf_keys.h"
#include "model/hf/hf_refusals.h"
#include "model/hf/hf_rotary.h"
#include "tensorfile/tensor_name.h"

enum { CONFIG_MOST = 4 << 20 }; /* bytes; published ones have a few KB */

static const struct hf_key MODEL_TYPE = {{{NULL, "model_type"}}};
static const struct hf_key LAYERS = {{{NULL, "num_hidden_layers"}, {NULL, "n_layer"}}};
static const struct hf_key HEADS = {{{NULL, "num_attention_heads"}, {NULL, "n_head"}}};
static const struct hf_key WIDTH = {{{NULL, "hidden_size"}, {NULL, "n_embd"}}};
static const struct hf_key VOCABULARY = {{{NULL, "vocab_size"}}};
static const struct hf_key POSITIONS = {{{NULL, "max_position_embeddings"}, {NULL, "n_positions"}}};
static const struct hf_key KEY_HEADS = {{{NULL, "num_key_value_heads"}}};
static const struct hf_key HEAD_WIDTH = {{{NULL, "head_dim"}}};
static const struct hf_key MLP_WIDTH = {{{NULL, "intermediate_size"}, {NULL, "n_inner"}}};
static const struct hf_key ACTIVATION = {{{NULL, "hidden_act"}, {NULL, "activation_function"}}};
static const struct hf_key ATTENTION_BIAS = {{{NULL, "attention_bias"}, {NULL, "use_qkv_bias"}}};
static const struct hf_key MLP_BIAS = {{{NULL, "mlp_bias"}}};
static const struct hf_key PARALLEL = {{{NULL, "use_parallel_residual"}}};
static const struct hf_key SCALED = {{{NULL, "scale_attn_weights"}}};
static const struct hf_key BY_LAYER = {{{NULL, "scale_attn_by_inverse_layer_idx"}}};
static const struct hf_key TIED = {{{NULL, "tie_word_embeddings"}}};

/* ---- sizes */

static enum err_code read_heads(struct model_dims *d, const struct hf_source *s,
                                const struct hf_family *family, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE];
    struct json given;
    TRY(hf_read_size(&d->H, s, &HEADS, HF_HEADS_MOST, HF_REQUIRED, err));
    TRY(hf_find(&given, place, s, &HEAD_WIDTH, err));
    CHECK(json_kind(given) != JSON_KIND_ABSENT || d->E % d->H == 0, ERR_DATA,
          "%s: the width %zu is not divisible by %zu heads, and head_dim is not given", s->place,
          d->E, d->H);
    TRY(hf_read_size(&d->D, s, &HEAD_WIDTH, HF_WIDTH_MOST, d->E / d->H, err));
    CHECK(d->H * d->D <= HF_MLP_MOST, ERR_DATA, "%s: head_dim: %zu heads of %zu are out of bounds",
          s->place, d->H, d->D);
    TRY(hf_find(&given, place, s, &KEY_HEADS, err));
    const size_t fallback = family->grouped_said ? HF_REQUIRED : d->H;
    d->KV = d->H;
    if (family->grouped || json_kind(given) != JSON_KIND_ABSENT)
        TRY(hf_read_size(&d->KV, s, &KEY_HEADS, HF_HEADS_MOST, fallback, err));
    CHECK(d->H % d->KV == 0, ERR_DATA,
          "%s: num_key_value_heads: %zu heads are not divisible by %zu key-value heads", s->place,
          d->H, d->KV);
    CHECK(family->grouped || d->KV == d->H, ERR_DATA,
          "%s: num_key_value_heads: %zu, but the heads of a %s (%zu) are not grouped", s->place,
          d->KV, family->model_type, d->H);
cleanup:
    return rc;
}

static enum err_code read_sizes(struct model_dims *d, const struct hf_source *s,
                                const struct hf_family *family, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct hf_key epsilon = {{{NULL, family->epsilon_key}}};
    double eps = 0;
    TRY(hf_read_size(&d->L, s, &LAYERS, HF_LAYERS_MOST, HF_REQUIRED, err));
    TRY(hf_read_size(&d->E, s, &WIDTH, HF_WIDTH_MOST, HF_REQUIRED, err));
    TRY(hf_read_size(&d->vocabulary, s, &VOCABULARY, HF_VOCABULARY_MOST, HF_REQUIRED, err));
    TRY(hf_read_size(&d->positions, s, &POSITIONS, HF_POSITIONS_MOST, HF_REQUIRED, err));
    TRY(read_heads(d, s, family, err));
    const size_t fallback = family->wide_mlp ? 4 * d->E : HF_REQUIRED;
    TRY(hf_read_size(&d->F, s, &MLP_WIDTH, HF_MLP_MOST, fallback, err));
    TRY(hf_read_real(&eps, s, &epsilon, 1e-12, 0.1, family->epsilon, err));
    d->epsilon = (float)eps;
cleanup:
    return rc;
}

/* ---- properties */

static enum err_code read_activation(enum activation_kind *out, const struct hf_source *s,
                                     const struct hf_family *family, struct err *err) {
    static const struct {
        const char *name;
        enum activation_kind kind;
    } KINDS[] = {
        {"gelu_new", ACTIVATION_GELU_TANH},   {"gelu_fast", ACTIVATION_GELU_TANH},
        {"gelu", ACTIVATION_GELU_ERF},        {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
        {"gelu_python", ACTIVATION_GELU_ERF}, {"silu", ACTIVATION_SILU},
        {"swish", ACTIVATION_SILU},
    };
    char shown[NAME_SHOWN];
    const char *name = NULL;
    const enum err_code rc = hf_read_word(&name, s, &ACTIVATION, family->activation, err);
    if (rc != ERR_OK) return rc;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(KINDS[i].name, name) != 0) continue;
        *out = KINDS[i].kind;
        return ERR_OK;
    }
    tensor_name_show(shown, name);
    return ERR(err, ERR_DATA,
               "%s: hidden_act: %s is not computed (gelu_new, gelu_fast, gelu_pytorch_tanh, gelu, "
               "silu and swish are)",
               s->place, shown);
}

/* A property of all models of the family may be repeated, but not denied. */
static enum err_code read_property(bool *out, const struct hf_source *s, const struct hf_key *key,
                                   const struct hf_flag *flag, const char *model_type,
                                   struct err *err) {
    bool value = false;
    const enum err_code rc = hf_read_flag(&value, s, key, flag->value, err);
    if (rc != ERR_OK) return rc;
    if (!flag->read && value != flag->value)
        return ERR(err, ERR_DATA, "%s: %s: %s, but it is %s in every %s that is computed", s->place,
                   key->spellings->key, value ? "true" : "false", flag->value ? "true" : "false",
                   model_type);
    *out = value;
    return ERR_OK;
}

static enum err_code read_properties(struct model_dims *d, const struct hf_source *s,
                                     const struct hf_family *family, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *type = family->model_type;
    const struct hf_flag scaled = {.read = family->scores_vary, .value = true};
    const struct hf_flag by_layer = {.read = family->scores_vary};
    bool is_scaled = true;
    TRY(read_activation(&d->activation, s, family, err));
    TRY(read_property(&d->attention_bias, s, &ATTENTION_BIAS, &family->attention_bias, type, err));
    d->output_bias = family->biased_output && d->attention_bias;
    TRY(read_property(&d->mlp_bias, s, &MLP_BIAS, &family->mlp_bias, type, err));
    TRY(read_property(&d->parallel, s, &PARALLEL, &family->parallel, type, err));
    TRY(read_property(&is_scaled, s, &SCALED, &scaled, type, err));
    d->unscaled_attention = family->scores_vary && !is_scaled;
    TRY(read_property(&d->scaled_by_layer, s, &BY_LAYER, &by_layer, type, err));
cleanup:
    return rc;
}

static enum err_code read_tie(enum hf_tie *out, const struct hf_source *s,
                              const struct hf_family *family, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE];
    struct json value;
    bool tied = false;
    TRY(hf_find(&value, place, s, &TIED, err));
    if (json_kind(value) == JSON_KIND_ABSENT) {
        hf_note(s, "tie_word_embeddings %s", family->tied ? "true" : "false");
        return ERR_OK;
    }
    TRY(json_read_bool(&tied, value, place, err));
    *out = tied ? HF_TIE_YES : HF_TIE_NO;
cleanup:
    return rc;
}

/* ---- the whole file */

static enum err_code find_family(const struct hf_family **out, const struct hf_source *s,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE], shown[JSON_SHOWN];
    struct json value;
    const char *name = NULL;
    struct text known = {0};
    TRY(json_expect(s->root, JSON_KIND_OBJECT, s->place, err));
    TRY(hf_find(&value, place, s, &MODEL_TYPE, err));
    TRY(json_read_text(&name, value, place, err));
    json_show(shown, value);
    *out = hf_family_find(name);
    hf_family_list(&known);
    CHECK(*out, ERR_DATA, "%s: %s is not a family that is computed (%s)", place, shown,
          text_str(&known));
cleanup:
    text_release(&known);
    return rc;
}

static enum err_code read_all(struct hf_config *c, const struct hf_source *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct model_dims *d = &c->dims;
    TRY(find_family(&c->family, s, err));
    d->family = c->family->tensors;
    TRY(hf_refusals_check(s, err));
    TRY(read_sizes(d, s, c->family, err));
    TRY(hf_rotary_read(&d->rotary, s, c->family, d->D, err));
    TRY(read_properties(d, s, c->family, err));
    TRY(read_tie(&c->tie, s, c->family, err));
    TRY(hf_window_read(&d->window, s, c->family, d->L, err));
    hf_unread_keys(&c->unread, s->root);
    TRY(text_check(&c->defaulted, err));
    TRY(text_check(&c->unread, err));
cleanup:
    return rc;
}

enum err_code hf_config_parse(struct hf_config *out, const char *text, size_t size,
                              const char *place, struct err *err) {
    enum err_code rc = ERR_OK;
    struct hf_config made = {0};
    struct hf_source s = {.place = place, .defaulted = &made.defaulted};
    TRY(json_parse(&s.root, text, size, place, err));
    TRY(read_all(&made, &s, err));
    *out = made;
    made = (struct hf_config){0};
cleanup:
    json_release(&s.root);
    hf_config_release(&made);
    return rc;
}

enum err_code hf_config_read(struct hf_config *out, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    struct text text = {0};
    (void)snprintf(path, sizeof path, "%.4000s/config.json", folder);
    CHECK(file_exists(path), ERR_DATA,
          "%s: no such file: a model is a folder with config.json and model.safetensors", path);
    TRY(file_read(&text, path, CONFIG_MOST, err));
    TRY(hf_config_parse(out, text_str(&text), text.size, path, err));
cleanup:
    text_release(&text);
    return rc;
}

void hf_config_release(struct hf_config *c) {
    text_release(&c->defaulted);
    text_release(&c->unread);
    *c = (struct hf_config){0};
}
