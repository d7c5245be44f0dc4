#include "model/hf/hf_shape.h"

#include <string.h>

static const double BASE = 10000; /* of families that do not read rope_theta */
static const double EPSILON = 1e-5;

static size_t mlp_width(const struct hf_shape *s) {
    return s->mlp_width > 0 ? s->mlp_width : 4 * s->width;
}

static size_t key_heads(const struct hf_shape *s) {
    return s->key_heads > 0 ? s->key_heads : s->heads;
}

static void write_sizes(struct text *out, const struct hf_shape *s) {
    const bool is_short = s->family->short_keys;
    text_add(out, "  \"%s\": %zu,\n", is_short ? "n_layer" : "num_hidden_layers", s->layers);
    text_add(out, "  \"%s\": %zu,\n", is_short ? "n_head" : "num_attention_heads", s->heads);
    text_add(out, "  \"%s\": %zu,\n", is_short ? "n_embd" : "hidden_size", s->width);
    text_add(out, "  \"%s\": %zu,\n", is_short ? "n_inner" : "intermediate_size", mlp_width(s));
    text_add(out, "  \"%s\": %zu,\n", is_short ? "n_positions" : "max_position_embeddings",
             s->positions);
    text_add(out, "  \"vocab_size\": %zu,\n", s->vocabulary);
    if (!s->family->grouped) return;
    text_add(out, "  \"num_key_value_heads\": %zu,\n", key_heads(s));
    if (s->width % s->heads == 0) /* the default of some classes is that of a certain model */
        text_add(out, "  \"head_dim\": %zu,\n", s->width / s->heads);
}

static void write_rotary(struct text *out, const struct hf_shape *s) {
    const struct hf_family *f = s->family;
    if (f->rotary == HF_ROTARY_COUNT)
        text_add(out, "  \"rotary_dim\": %zu,\n", s->width / s->heads);
    if (f->rotary == HF_ROTARY_FRACTION)
        text_add(out, "  \"rotary_pct\": %g,\n", f->rotary_default);
    if (f->scales) text_add(out, "  \"rope_theta\": %.9g,\n", s->rotary_base);
    if (f->window > 0) text_add(out, "  \"sliding_window\": null,\n");
}

void hf_shape_write(struct text *out, const struct hf_shape *s) {
    const struct hf_family *f = s->family;
    text_add(out, "{\n  \"architectures\": [\"%s\"],\n  \"model_type\": \"%s\",\n", f->architecture,
             f->model_type);
    write_sizes(out, s);
    write_rotary(out, s);
    text_add(out, "  \"%s\": %g,\n", f->epsilon_key, EPSILON);
    text_add(out, "  \"%s\": \"%s\",\n", f->short_keys ? "activation_function" : "hidden_act",
             f->activation);
    text_add(out, "  \"tie_word_embeddings\": %s,\n", s->tied ? "true" : "false");
    text_add(out, "  \"bos_token_id\": null,\n  \"eos_token_id\": null,\n");
    text_add(out, "  \"torch_dtype\": \"float16\"\n}\n");
}

enum err_code hf_shape_read(struct model_dims *out, const char *text, const char *place,
                            struct err *err) {
    struct hf_config config = {0};
    const enum err_code rc = hf_config_parse(&config, text, strlen(text), place, err);
    if (rc != ERR_OK) return rc;
    *out = config.dims;
    out->tied = config.tie == HF_TIE_YES;
    hf_config_release(&config);
    return ERR_OK;
}

enum err_code hf_shape_dims(struct model_dims *out, const struct hf_shape *s, const char *place,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    const char *type = s->family->model_type;
    struct text json = {0};
    CHECK(s->family->grouped || key_heads(s) == s->heads, ERR_DATA,
          "%s: %zu key-value heads, but the heads of a %s (%zu) are not grouped", place,
          key_heads(s), type, s->heads);
    CHECK(s->family->scales || s->rotary_base == BASE, ERR_DATA,
          "%s: a rotary base of %g, but that of a %s is not chosen", place, s->rotary_base, type);
    hf_shape_write(&json, s);
    TRY(text_check(&json, err));
    TRY(hf_shape_read(out, text_str(&json), place, err));
cleanup:
    text_release(&json);
    return rc;
}
