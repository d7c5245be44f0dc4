#include "model/family.h"

#include <stdio.h>

static const struct family_layer_names GPT2_LAYER = {
    .ln_1_w = "ln_1.weight",
    .ln_1_b = "ln_1.bias",
    .attn_w = "attn.c_attn.weight",
    .attn_b = "attn.c_attn.bias",
    .proj_w = "attn.c_proj.weight",
    .proj_b = "attn.c_proj.bias",
    .ln_2_w = "ln_2.weight",
    .ln_2_b = "ln_2.bias",
    .fc_w = "mlp.c_fc.weight",
    .fc_b = "mlp.c_fc.bias",
    .mlp_w = "mlp.c_proj.weight",
    .mlp_b = "mlp.c_proj.bias",
};

static const struct family_layer_names GPTJ_LAYER = {
    .ln_1_w = "ln_1.weight",
    .ln_1_b = "ln_1.bias",
    .q_w = "attn.q_proj.weight",
    .q_b = "attn.q_proj.bias",
    .k_w = "attn.k_proj.weight",
    .k_b = "attn.k_proj.bias",
    .v_w = "attn.v_proj.weight",
    .v_b = "attn.v_proj.bias",
    .proj_w = "attn.out_proj.weight",
    .proj_b = "attn.out_proj.bias",
    .fc_w = "mlp.fc_in.weight",
    .fc_b = "mlp.fc_in.bias",
    .mlp_w = "mlp.fc_out.weight",
    .mlp_b = "mlp.fc_out.bias",
};

static const struct family_layer_names NEOX_LAYER = {
    .ln_1_w = "input_layernorm.weight",
    .ln_1_b = "input_layernorm.bias",
    .attn_w = "attention.query_key_value.weight",
    .attn_b = "attention.query_key_value.bias",
    .proj_w = "attention.dense.weight",
    .proj_b = "attention.dense.bias",
    .ln_2_w = "post_attention_layernorm.weight",
    .ln_2_b = "post_attention_layernorm.bias",
    .fc_w = "mlp.dense_h_to_4h.weight",
    .fc_b = "mlp.dense_h_to_4h.bias",
    .mlp_w = "mlp.dense_4h_to_h.weight",
    .mlp_b = "mlp.dense_4h_to_h.bias",
};

#define LLAMA_NAMES                                                                                \
    .ln_1_w = "input_layernorm.weight", .q_w = "self_attn.q_proj.weight",                          \
    .q_b = "self_attn.q_proj.bias", .k_w = "self_attn.k_proj.weight",                              \
    .k_b = "self_attn.k_proj.bias", .v_w = "self_attn.v_proj.weight",                              \
    .v_b = "self_attn.v_proj.bias", .proj_w = "self_attn.o_proj.weight",                           \
    .proj_b = "self_attn.o_proj.bias", .ln_2_w = "post_attention_layernorm.weight",                \
    .gate_w = "mlp.gate_proj.weight", .gate_b = "mlp.gate_proj.bias",                              \
    .fc_w = "mlp.up_proj.weight", .fc_b = "mlp.up_proj.bias", .mlp_w = "mlp.down_proj.weight",     \
    .mlp_b = "mlp.down_proj.bias"

static const struct family_layer_names LLAMA_LAYER = {LLAMA_NAMES};
static const struct family_layer_names QWEN3_LAYER = {
    LLAMA_NAMES, .q_norm_w = "self_attn.q_norm.weight", .k_norm_w = "self_attn.k_norm.weight"};

/* Touvron et al., arXiv:2302.13971, and the families that share its blocks. */
#define LLAMA_ROW(name, layer_names)                                                               \
    {                                                                                              \
        .title = (name), .embedding = EMBEDDING_TOKENS, .output = OUTPUT_VOCABULARY,               \
        .norm = NORM_RMS, .attention = ATTENTION_SEPARATE, .layout = LINEAR_OUT_IN,                \
        .names = {.wte = "model.embed_tokens.weight",                                              \
                  .ln_f_w = "model.norm.weight",                                                   \
                  .head_w = "lm_head.weight"},                                                     \
        .layer_prefix = "model.layers.", .layer = &(layer_names),                                  \
    }

#define REGRESSION_ROW(name, positions)                                                            \
    {                                                                                              \
        .title = (name), .embedding = EMBEDDING_READ_IN, .output = OUTPUT_READ_OUT,                \
        .layout = LINEAR_IN_OUT, .biased = true,                                                   \
        .names = {.read_in_w = "_read_in.weight",                                                  \
                  .read_in_b = "_read_in.bias",                                                    \
                  .wpe = (positions),                                                              \
                  .ln_f_w = "_backbone.ln_f.weight",                                               \
                  .ln_f_b = "_backbone.ln_f.bias",                                                 \
                  .read_out_w = "_read_out.weight",                                                \
                  .read_out_b = "_read_out.bias"},                                                 \
        .layer_prefix = "_backbone.h.", .layer = &GPT2_LAYER,                                      \
    }

/* Garg et al., arXiv:2208.01066: GPT-2's blocks between a read-in and a read-out map. The second
 * row has rotary positions or none, as the dims say. */
const struct family family_gpt2_regression =
    REGRESSION_ROW("regression GPT-2", "_backbone.wpe.weight");
const struct family family_gpt2_regression_unlearned =
    REGRESSION_ROW("regression GPT-2 without learned positions", NULL);

/* Radford et al. 2019, with the names of Hugging Face's GPT2LMHeadModel. */
const struct family family_gpt2 = {
    .title = "GPT-2",
    .embedding = EMBEDDING_TOKENS,
    .output = OUTPUT_VOCABULARY,
    .layout = LINEAR_IN_OUT,
    .biased = true,
    .names = {.wte = "transformer.wte.weight",
              .wpe = "transformer.wpe.weight",
              .ln_f_w = "transformer.ln_f.weight",
              .ln_f_b = "transformer.ln_f.bias",
              .head_w = "lm_head.weight"},
    .layer_prefix = "transformer.h.",
    .layer = &GPT2_LAYER,
};

/* Wang and Komatsuzaki 2021 (mesh-transformer-jax): parallel residual with one norm. */
const struct family family_gptj = {
    .title = "GPT-J",
    .embedding = EMBEDDING_TOKENS,
    .output = OUTPUT_VOCABULARY,
    .attention = ATTENTION_SEPARATE,
    .layout = LINEAR_OUT_IN,
    .pairs = ROTARY_ADJACENT,
    .names = {.wte = "transformer.wte.weight",
              .ln_f_w = "transformer.ln_f.weight",
              .ln_f_b = "transformer.ln_f.bias",
              .head_w = "lm_head.weight",
              .head_b = "lm_head.bias"},
    .layer_prefix = "transformer.h.",
    .layer = &GPTJ_LAYER,
};

/* Black et al., arXiv:2204.06745. */
const struct family family_neox = {
    .title = "GPT-NeoX",
    .embedding = EMBEDDING_TOKENS,
    .output = OUTPUT_VOCABULARY,
    .attention = ATTENTION_BY_HEAD,
    .layout = LINEAR_OUT_IN,
    .names = {.wte = "gpt_neox.embed_in.weight",
              .ln_f_w = "gpt_neox.final_layer_norm.weight",
              .ln_f_b = "gpt_neox.final_layer_norm.bias",
              .head_w = "lm_head.weight"},
    .layer_prefix = "gpt_neox.layers.",
    .layer = &NEOX_LAYER,
};

const struct family family_llama = LLAMA_ROW("Llama", LLAMA_LAYER);
const struct family family_mistral = LLAMA_ROW("Mistral", LLAMA_LAYER);
const struct family family_qwen2 = LLAMA_ROW("Qwen2", LLAMA_LAYER);
const struct family family_qwen3 = LLAMA_ROW("Qwen3", QWEN3_LAYER);
const struct family *family_of(const struct model_dims *d) {
    return d->family ? d->family : &family_gpt2_regression;
}

void family_layer_name(char out[PARAMS_NAME], const struct family *f, size_t l, const char *name) {
    (void)snprintf(out, PARAMS_NAME, "%s%zu.%s", f->layer_prefix, l, name);
}
