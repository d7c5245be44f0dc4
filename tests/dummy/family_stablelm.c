/* StableLM 2: LayerNorm with the gated MLP of Llama, and rotary positions on a part of each head.
 * docs/extending.md explains it. */
#include "model/hf/hf_families.h"

static const struct family_layer_names LAYER = {
    .ln_1_w = "input_layernorm.weight",
    .ln_1_b = "input_layernorm.bias",
    .q_w = "self_attn.q_proj.weight",
    .q_b = "self_attn.q_proj.bias",
    .k_w = "self_attn.k_proj.weight",
    .k_b = "self_attn.k_proj.bias",
    .v_w = "self_attn.v_proj.weight",
    .v_b = "self_attn.v_proj.bias",
    .proj_w = "self_attn.o_proj.weight",
    .ln_2_w = "post_attention_layernorm.weight",
    .ln_2_b = "post_attention_layernorm.bias",
    .gate_w = "mlp.gate_proj.weight",
    .fc_w = "mlp.up_proj.weight",
    .mlp_w = "mlp.down_proj.weight",
};

static const struct family TENSORS = {
    .title = "StableLM",
    .embedding = EMBEDDING_TOKENS,
    .output = OUTPUT_VOCABULARY,
    .norm = NORM_LAYER,
    .attention = ATTENTION_SEPARATE,
    .layout = LINEAR_OUT_IN,
    .pairs = ROTARY_HALVES,
    .names = {.wte = "model.embed_tokens.weight",
              .ln_f_w = "model.norm.weight",
              .ln_f_b = "model.norm.bias",
              .head_w = "lm_head.weight"},
    .layer_prefix = "model.layers.",
    .layer = &LAYER,
};

extern const struct hf_family hf_family_stablelm;
const struct hf_family hf_family_stablelm = {
    .model_type = "stablelm",
    .tensors = &TENSORS,
    .epsilon_key = "layer_norm_eps",
    .epsilon = 1e-5,
    .activation = "silu",
    .rotary = HF_ROTARY_FRACTION,
    .rotary_default = 0.25,
    .scales = true,
    .grouped = true,
    .grouped_said = true,
    .attention_bias = {.read = true},
};
