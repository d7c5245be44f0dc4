#include "model/hf/hf_refusals.h"

#include <stdio.h>
#include <string.h>

#include "tensorfile/tensor_name.h"

static const struct {
    const char *key;
    double neutral; /* the number that changes nothing; 0 where false, null and 0 do not */
} REFUSED[] = {
    {"clip_qkv", 0},
    {"attn_logit_softcapping", 0},
    {"final_logit_softcapping", 0},
    {"use_qk_norm", 0},
    {"qk_layernorm", 0},
    {"query_pre_attn_scalar", 0},
    {"alibi", 0},
    {"add_cross_attention", 0},
    {"is_encoder_decoder", 0},
    {"num_experts", 0},
    {"num_local_experts", 0},
    {"n_routed_experts", 0},
    {"no_rope_layers", 0},
    {"attention_chunk_size", 0},
    {"attention_multiplier", 0},
    {"rope_interleaved", 0},
    {"use_mrope", 0},
    {"embedding_multiplier", 1},
    {"residual_multiplier", 1},
    {"logits_scaling", 1},
    {"logit_scale", 1},
    {"pruned_heads", 0},
};
enum { REFUSED_COUNT = sizeof REFUSED / sizeof *REFUSED };

/* Without effect on the logits, or read by another part of the program. */
static const char *const KNOWN[] = {
    "model_type",
    "num_hidden_layers",
    "n_layer",
    "num_attention_heads",
    "n_head",
    "hidden_size",
    "n_embd",
    "vocab_size",
    "max_position_embeddings",
    "n_positions",
    "num_key_value_heads",
    "head_dim",
    "intermediate_size",
    "n_inner",
    "hidden_act",
    "activation_function",
    "attention_bias",
    "use_qkv_bias",
    "mlp_bias",
    "use_parallel_residual",
    "scale_attn_weights",
    "scale_attn_by_inverse_layer_idx",
    "tie_word_embeddings",
    "layer_norm_epsilon",
    "layer_norm_eps",
    "rms_norm_eps",
    "rope_theta",
    "rotary_emb_base",
    "rope_scaling",
    "rope_parameters",
    "rotary_dim",
    "rotary_pct",
    "partial_rotary_factor",
    "rotary",
    "original_max_position_embeddings",
    "sliding_window",
    "use_sliding_window",
    "max_window_layers",
    "layer_types",
    "quantization_config",
    "architectures",
    "torch_dtype",
    "dtype",
    "transformers_version",
    "use_cache",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "initializer_range",
    "attention_dropout",
    "hidden_dropout",
    "attention_probs_dropout_prob",
    "hidden_dropout_prob",
    "max_length",
    "classifier_dropout",
    "attn_pdrop",
    "embd_pdrop",
    "resid_pdrop",
    "_name_or_path",
    "name_or_path",
    "task_specific_params",
    "gradient_checkpointing",
    "n_ctx",
    "pretraining_tp",
    "tokenizer_class",
    "reorder_and_upcast_attn",
    "summary_activation",
    "summary_first_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "return_dict_in_generate",
    "output_past",
    "is_llama_config",
    "id2label",
    "label2id",
    "chunk_size_feed_forward",
    "is_decoder",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "problem_type",
    "auto_map",
};

static enum err_code check_key(const struct hf_source *s, const char *key, double neutral,
                               struct err *err) {
    char shown[JSON_SHOWN];
    double number = neutral;
    const struct json value = json_member(s->root, key);
    const enum json_kind kind = json_kind(value);
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL) return ERR_OK;
    bool is_neutral = false, flag = true;
    if (kind == JSON_KIND_ARRAY || kind == JSON_KIND_OBJECT)
        is_neutral = json_count(value) == 0;
    else if (kind == JSON_KIND_BOOL)
        is_neutral = json_read_bool(&flag, value, key, NULL) == ERR_OK && !flag;
    else
        is_neutral = json_read_number(&number, value, key, NULL) == ERR_OK && number == neutral;
    if (is_neutral) return ERR_OK;
    json_show(shown, value);
    return ERR(err, ERR_DATA, "%s: %s: %s is not computed: use a model without it", s->place, key,
               shown);
}

static enum err_code check_quantised(const struct hf_source *s, struct err *err) {
    const struct json found = json_member(s->root, "quantization_config");
    const struct json method = json_member(found, "quant_method");
    char shown[JSON_SHOWN];
    if (json_kind(found) == JSON_KIND_ABSENT || json_kind(found) == JSON_KIND_NULL) return ERR_OK;
    json_show(shown, method);
    return ERR(err, ERR_DATA,
               "%s: quantization_config: the weights are quantised (quant_method %s), but F32, F16 "
               "and BF16 alone are read: use the model that it was made from",
               s->place, json_kind(method) == JSON_KIND_ABSENT ? "not given" : shown);
}

enum err_code hf_refusals_check(const struct hf_source *s, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(check_quantised(s, err));
    for (size_t i = 0; i < REFUSED_COUNT; i++)
        TRY(check_key(s, REFUSED[i].key, REFUSED[i].neutral, err));
cleanup:
    return rc;
}

/* ---- sliding windows */

static const struct hf_key WINDOW = {{{NULL, "sliding_window"}}};
static const struct hf_key SWITCH = {{{NULL, "use_sliding_window"}}};

/* Which layers slide: any if layer_types says so, else those from max_window_layers on. */
static enum err_code read_layer_types(bool *sliding, struct json types, const struct hf_source *s,
                                      size_t layers, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE], shown[NAME_SHOWN];
    (void)snprintf(place, sizeof place, "%.900s: layer_types", s->place);
    TRY(json_expect(types, JSON_KIND_ARRAY, place, err));
    CHECK(json_count(types) == layers, ERR_DATA, "%s: %zu entries for %zu layers", place,
          json_count(types), layers);
    *sliding = false;
    for (size_t i = 0; i < layers; i++) {
        const char *type = NULL;
        TRY(json_read_text(&type, json_item(types, i), place, err));
        const bool slides = strcmp(type, "sliding_attention") == 0;
        tensor_name_show(shown, type);
        CHECK(slides || strcmp(type, "full_attention") == 0, ERR_DATA,
              "%s: %s is not computed (full_attention and sliding_attention are)", place, shown);
        *sliding |= slides;
    }
cleanup:
    return rc;
}

static enum err_code read_switch(bool *in_use, const struct hf_source *s,
                                 const struct hf_family *family, size_t layers, struct err *err) {
    enum err_code rc = ERR_OK;
    int64_t first = 28; /* of Qwen2Config and Qwen3Config */
    const struct json types = json_member(s->root, "layer_types");
    const struct json from = json_member(s->root, "max_window_layers");
    TRY(hf_read_flag(in_use, s, &SWITCH, !family->window_switched, err));
    if (json_kind(types) != JSON_KIND_ABSENT && json_kind(types) != JSON_KIND_NULL)
        return read_layer_types(in_use, types, s, layers, err);
    if (!family->window_switched) return ERR_OK;
    if (json_kind(from) != JSON_KIND_ABSENT && json_kind(from) != JSON_KIND_NULL)
        TRY(json_read_int(&first, from, s->place, err));
    *in_use = *in_use && first < (int64_t)layers;
cleanup:
    return rc;
}

enum err_code hf_window_read(size_t *out, const struct hf_source *s, const struct hf_family *family,
                             size_t layers, struct err *err) {
    enum err_code rc = ERR_OK;
    bool in_use = false;
    const bool is_null = json_kind(json_member(s->root, "sliding_window")) == JSON_KIND_NULL;
    const bool given = json_kind(json_member(s->root, "sliding_window")) != JSON_KIND_ABSENT;
    *out = 0;
    TRY(read_switch(&in_use, s, family, layers, err));
    if (!in_use || is_null || (!given && family->window == 0)) return ERR_OK;
    TRY(hf_read_size(out, s, &WINDOW, HF_POSITIONS_MOST, family->window, err));
cleanup:
    return rc;
}

/* ---- keys that no rule knows */

static bool is_known(const char *key) {
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strcmp(KNOWN[i], key) == 0) return true;
    for (size_t i = 0; i < REFUSED_COUNT; i++)
        if (strcmp(REFUSED[i].key, key) == 0) return true;
    return false;
}

void hf_unread_keys(struct text *out, struct json root) {
    char shown[NAME_SHOWN];
    for (struct json_walk w = {.object = root}; json_next(&w);)
        if (!is_known(w.key)) {
            tensor_name_show(shown, w.key);
            text_add(out, "%s%s", out->size > 0 ? ", " : "", shown);
        }
}
