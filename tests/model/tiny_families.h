/*
 * tiny_families.h - a tiny model of every family, with all that varies inside families.
 */
#ifndef TESTS_MODEL_TINY_FAMILIES_H
#define TESTS_MODEL_TINY_FAMILIES_H

#include "model/tiny.h"

struct tiny_family {
    const char *title;
    struct model_dims dims;
};

#define TINY_SIZES .L = 2, .H = 4, .E = 16, .vocabulary = 13, .positions = 16, .epsilon = 1e-5f
#define TINY_ROTARY(n)                                                                             \
    { .dims = (n), .base = 100 }

static const struct tiny_family TINY_FAMILIES[] = {
    {"GPT-2", {TINY_SIZES, .family = &family_gpt2, .tied = true}},
    {"GPT-2 untied, scores by layer",
     {TINY_SIZES, .family = &family_gpt2, .scaled_by_layer = true, .F = 24}},
    {"GPT-2, plain scores", {TINY_SIZES, .family = &family_gpt2, .unscaled_attention = true}},
    {"GPT-J",
     {TINY_SIZES, .family = &family_gptj, .rotary = TINY_ROTARY(2), .mlp_bias = true,
      .parallel = true}},
    {"NeoX, parallel",
     {TINY_SIZES, .family = &family_neox, .rotary = TINY_ROTARY(2), .mlp_bias = true,
      .attention_bias = true, .output_bias = true, .parallel = true,
      .activation = ACTIVATION_GELU_ERF, .F = 20}},
    {"NeoX, serial, tied",
     {TINY_SIZES, .family = &family_neox, .rotary = TINY_ROTARY(4), .mlp_bias = true,
      .activation = ACTIVATION_GELU_ERF, .tied = true}},
    {"Llama",
     {TINY_SIZES, .family = &family_llama, .rotary = TINY_ROTARY(4), .activation = ACTIVATION_SILU,
      .F = 20}},
    {"Llama, grouped heads, all biases, tied",
     {TINY_SIZES, .family = &family_llama, .KV = 2, .tied = true, .attention_bias = true,
      .output_bias = true, .mlp_bias = true, .activation = ACTIVATION_SILU,
      .rotary = {.dims = 4,
                 .base = 100,
                 .scaling = ROTARY_LLAMA3,
                 .factor = 8,
                 .low = 1,
                 .high = 4,
                 .original = 64}}},
    {"Mistral, one key-value head",
     {TINY_SIZES, .family = &family_mistral, .KV = 1, .rotary = TINY_ROTARY(4),
      .activation = ACTIVATION_SILU}},
    {"Qwen2",
     {TINY_SIZES, .family = &family_qwen2, .KV = 2, .rotary = TINY_ROTARY(4),
      .attention_bias = true, .activation = ACTIVATION_SILU, .tied = true}},
    {"Qwen3, H D above E",
     {TINY_SIZES, .family = &family_qwen3, .KV = 2, .D = 6, .rotary = TINY_ROTARY(6),
      .activation = ACTIVATION_SILU}},
    {"Qwen3, H D below E",
     {TINY_SIZES, .family = &family_qwen3, .KV = 2, .D = 2, .rotary = TINY_ROTARY(2),
      .attention_bias = true, .output_bias = true, .activation = ACTIVATION_SILU}},
};
enum { TINY_FAMILY_COUNT = sizeof TINY_FAMILIES / sizeof *TINY_FAMILIES };

#define FAMILY_CLOSE(error, tolerance, title)                                                      \
    do {                                                                                           \
        const double error_ = (error);                                                             \
        if (!(error_ <= (tolerance)))                                                              \
            fail_msg("%s: error %.3g, tolerance %.3g", (title), error_, (tolerance));              \
    } while (0)

#endif
