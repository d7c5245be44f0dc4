/* config.json of every family: sizes, defaults and both spellings of rotary settings; what is not
 * computed is refused in one line. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/family.h"
#include "model/hf/hf_config.h"
#include "model/length.h"
#include "twins/error_says.h"

static struct err err;

#define GPT2                                                                                       \
    "\"model_type\":\"gpt2\",\"vocab_size\":97,\"n_positions\":64,\"n_embd\":32,\"n_layer\":3,"    \
    "\"n_head\":4"
#define GPTJ                                                                                       \
    "\"model_type\":\"gptj\",\"vocab_size\":83,\"n_positions\":64,\"n_embd\":32,\"n_layer\":3,"    \
    "\"n_head\":4"
#define SIZES(type)                                                                                \
    "\"model_type\":\"" type "\",\"vocab_size\":107,\"max_position_embeddings\":256,"              \
    "\"hidden_size\":48,\"num_hidden_layers\":3,\"num_attention_heads\":6,\"intermediate_size\":"  \
    "112"
#define NEOX SIZES("gpt_neox")
#define LLAMA SIZES("llama")
#define GROUPED(type) SIZES(type) ",\"num_key_value_heads\":2"

static struct hf_config parsed(const char *members) {
    char text[4096];
    struct hf_config c = {0};
    (void)snprintf(text, sizeof text, "{%s}", members);
    SUCCEEDS(hf_config_parse(&c, text, strlen(text), "config.json", &err));
    return c;
}

/* The dims of a config, which is released. */
static struct model_dims dims_of(const char *members) {
    struct hf_config c = parsed(members);
    const struct model_dims d = c.dims;
    hf_config_release(&c);
    return d;
}

static void refused_text(const char *text, const char *words) {
    struct hf_config c = {0};
    ERROR_SAYS(hf_config_parse(&c, text, strlen(text), "config.json", &err), ERR_DATA, words);
    if (strncmp(err.msg, "config.json: ", 13) != 0)
        fail_msg("the message does not open with the file: %s", err.msg);
}

static void refused(const char *members, const char *words) {
    char text[4096];
    (void)snprintf(text, sizeof text, "{%s}", members);
    refused_text(text, words);
}

/* ---- families */

static void gpt2_has_its_defaults(void **state) {
    (void)state;
    struct hf_config c = parsed(GPT2);
    const struct model_dims *d = &c.dims;
    assert_ptr_equal(d->family, &family_gpt2);
    assert_int_equal(d->L, 3);
    assert_int_equal(d->H, 4);
    assert_int_equal(d->E, 32);
    assert_int_equal(d->vocabulary, 97);
    assert_int_equal(d->positions, 64);
    assert_int_equal(model_head_width(d), 8);
    assert_int_equal(model_mlp_width(d), 128);
    assert_int_equal(d->rotary.dims, 0);
    assert_int_equal(d->activation, ACTIVATION_GELU_TANH);
    assert_true(d->epsilon == 1e-5F);
    assert_true(d->attention_bias && d->output_bias && d->mlp_bias);
    assert_false(d->unscaled_attention || d->scaled_by_layer || d->parallel);
    assert_int_equal(c.tie, HF_TIE_NOT_SAID);
    assert_true(c.family->tied);
    assert_string_equal(text_str(&c.unread), "");
    for (size_t i = 0; i < 3; i++) {
        static const char *const SAID[] = {"layer_norm_epsilon 1e-05", "tie_word_embeddings true",
                                           "hidden_act gelu_new"};
        if (!strstr(text_str(&c.defaulted), SAID[i]))
            fail_msg("not printed: %s in %s", SAID[i], text_str(&c.defaulted));
    }
    hf_config_release(&c);
}

static void gpt2_scales_scores_as_told(void **state) {
    (void)state;
    const struct model_dims d = dims_of(
        GPT2
        ",\"scale_attn_weights\":false,\"scale_attn_by_inverse_layer_idx\":true,\"n_inner\":96");
    assert_true(d.unscaled_attention);
    assert_true(d.scaled_by_layer);
    assert_int_equal(d.F, 96);
    assert_false(dims_of(GPT2 ",\"scale_attn_weights\":true").unscaled_attention);
    refused(GPTJ ",\"rotary_dim\":4,\"scale_attn_weights\":false",
            "scale_attn_weights: false, but it is true in every gptj");
    refused(LLAMA ",\"scale_attn_by_inverse_layer_idx\":true",
            "scale_attn_by_inverse_layer_idx: true, but it is false in every llama");
}

static void the_others_have_their_shapes(void **state) {
    (void)state;
    struct model_dims d = dims_of(GPTJ ",\"rotary_dim\":4");
    assert_ptr_equal(d.family, &family_gptj);
    assert_int_equal(d.rotary.dims, 4);
    assert_true(d.rotary.base == 10000.0);
    assert_true(d.mlp_bias && d.parallel);
    assert_false(d.attention_bias || d.output_bias);
    d = dims_of(NEOX);
    assert_ptr_equal(d.family, &family_neox);
    assert_int_equal(d.rotary.dims, 2); /* int(8 * .25) */
    assert_int_equal(d.activation, ACTIVATION_GELU_ERF);
    assert_true(d.attention_bias && d.output_bias && d.mlp_bias && d.parallel);
    d = dims_of(NEOX ",\"use_parallel_residual\":false,\"attention_bias\":false,\"rotary_pct\":1,"
                     "\"rotary_emb_base\":500");
    assert_false(d.attention_bias || d.output_bias || d.parallel);
    assert_int_equal(d.rotary.dims, 8);
    assert_true(d.rotary.base == 500.0);
    d = dims_of(LLAMA);
    assert_int_equal(model_key_heads(&d), 6);
    assert_int_equal(d.rotary.dims, 8);
    assert_int_equal(d.activation, ACTIVATION_SILU);
    assert_true(d.epsilon == 1e-6F);
    assert_false(d.attention_bias || d.output_bias || d.mlp_bias);
    d = dims_of(GROUPED("llama") ",\"attention_bias\":true,\"mlp_bias\":true,\"head_dim\":16");
    assert_int_equal(d.KV, 2);
    assert_int_equal(d.D, 16);
    assert_int_equal(d.rotary.dims, 16);
    assert_true(d.attention_bias && d.output_bias && d.mlp_bias);
    assert_ptr_equal(dims_of(GROUPED("mistral")).family, &family_mistral);
    d = dims_of(GROUPED("qwen2"));
    assert_ptr_equal(d.family, &family_qwen2);
    assert_true(d.attention_bias);
    assert_false(d.output_bias || d.mlp_bias);
    d = dims_of(GROUPED("qwen3") ",\"attention_bias\":true,\"head_dim\":16");
    assert_ptr_equal(d.family, &family_qwen3);
    assert_true(d.attention_bias && d.output_bias);
}

static void sizes_have_two_spellings(void **state) {
    (void)state;
    const struct model_dims d =
        dims_of("\"model_type\":\"gpt2\",\"vocab_size\":9,\"max_position_embeddings\":64,"
                "\"hidden_size\":32,\"num_hidden_layers\":3,\"num_attention_heads\":4,"
                "\"hidden_act\":\"gelu\"");
    assert_int_equal(d.E, 32);
    assert_int_equal(d.activation, ACTIVATION_GELU_ERF);
    assert_int_equal(dims_of(GPT2 ",\"hidden_size\":32").E, 32);
    refused(GPT2 ",\"hidden_size\":64",
            "hidden_size is 64, but n_embd is 32: remove the one that is wrong");
    refused(GPT2 ",\"activation_function\":\"gelu\",\"hidden_act\":\"gelu_new\"",
            "hidden_act is \"gelu_new\", but activation_function is \"gelu\"");
}

/* ---- rotary settings */

static void same_rotary(const struct rotary_dims *a, const struct rotary_dims *b) {
    assert_int_equal(a->dims, b->dims);
    assert_int_equal(a->scaling, b->scaling);
    assert_int_equal(a->original, b->original);
    assert_true(a->base == b->base && a->factor == b->factor);
    assert_true(a->low == b->low && a->high == b->high);
}

#define LLAMA3                                                                                     \
    "\"factor\":8.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"                             \
    "\"original_max_position_embeddings\":64"

static void scalings_are_read_in_both_spellings(void **state) {
    (void)state;
    static const char *const SPELLINGS[] = {
        LLAMA ",\"rope_theta\":5e5,\"rope_scaling\":{\"rope_type\":\"llama3\"," LLAMA3 "}",
        LLAMA ",\"rope_theta\":500000,\"rope_scaling\":{\"type\":\"llama3\"," LLAMA3 "}",
        LLAMA ",\"rope_parameters\":{\"rope_theta\":5e5,\"rope_type\":\"llama3\"," LLAMA3 "}",
        LLAMA
        ",\"rope_theta\":5e5,\"rope_scaling\":{\"type\":\"llama3\",\"rope_type\":\"llama3\"," LLAMA3
        "},\"rope_parameters\":{\"rope_theta\":5e5,\"rope_type\":\"llama3\"," LLAMA3 "}",
    };
    const struct rotary_dims want = {.dims = 8,
                                     .base = 5e5,
                                     .scaling = ROTARY_LLAMA3,
                                     .factor = 8,
                                     .low = 1,
                                     .high = 4,
                                     .original = 64};
    for (size_t i = 0; i < sizeof SPELLINGS / sizeof *SPELLINGS; i++) {
        const struct model_dims d = dims_of(SPELLINGS[i]);
        same_rotary(&d.rotary, &want);
    }
    const struct rotary_dims linear = {
        .dims = 8, .base = 10000, .scaling = ROTARY_LINEAR, .factor = 2};
    struct model_dims d = dims_of(LLAMA ",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}");
    same_rotary(&d.rotary, &linear);
    const struct rotary_dims plain = {.dims = 8, .base = 10000};
    d = dims_of(LLAMA ",\"rope_scaling\":null");
    same_rotary(&d.rotary, &plain);
    d = dims_of(LLAMA ",\"rope_parameters\":{\"rope_theta\":10000.0,\"rope_type\":\"default\"}");
    same_rotary(&d.rotary, &plain);
    d = dims_of(NEOX ",\"rope_parameters\":{\"rope_theta\":10000.0,\"partial_rotary_factor\":0.5}");
    assert_int_equal(d.rotary.dims, 4);
}

static void spellings_that_disagree_are_refused(void **state) {
    (void)state;
    refused(LLAMA ",\"rope_theta\":1e4,\"rope_parameters\":{\"rope_theta\":1e6}",
            "rope_theta is 10000, but rope_parameters.rope_theta is 1000000");
    refused(NEOX ",\"rotary_pct\":0.5,\"partial_rotary_factor\":0.25", "rotary_pct is 0.5");
    refused(LLAMA ",\"rope_scaling\":{\"type\":\"linear\",\"rope_type\":\"default\",\"factor\":2}",
            "rope_scaling.rope_type is \"default\", but rope_scaling.type is \"linear\"");
    refused(LLAMA ",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2},"
                  "\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":4}",
            "rope_scaling.factor is 2, but rope_parameters.factor is 4");
}

static void other_scalings_are_refused_by_name(void **state) {
    (void)state;
    refused(LLAMA ",\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}",
            "rope_scaling.type: \"dynamic\" is not computed (default, linear and llama3 are)");
    refused(LLAMA ",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":2,\"beta_fast\":32}",
            "rope_scaling.rope_type: \"yarn\" is not computed");
    refused(LLAMA ",\"rope_parameters\":{\"rope_type\":\"longrope\"}",
            "rope_parameters.rope_type: \"longrope\" is not computed");
    refused(LLAMA ",\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":2,\"beta\":3}",
            "rope_scaling: unknown setting \"beta\"");
    refused(LLAMA ",\"rope_scaling\":\"linear\"",
            "rope_scaling: expected an object, received \"linear\"");
    refused(LLAMA ",\"rope_scaling\":{\"factor\":2}", "add rope_type");
    refused(LLAMA ",\"rope_scaling\":{\"type\":\"linear\"}", "lacks factor");
    refused(LLAMA ",\"rope_scaling\":{\"type\":\"linear\",\"factor\":0.5}", "0.5 is out of bounds");
    refused(LLAMA ",\"rope_scaling\":{\"type\":3}", "expected a text, received 3");
    refused(LLAMA ",\"rope_scaling\":{\"type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,"
                  "\"high_freq_factor\":4,\"original_max_position_embeddings\":64}",
            "low_freq_factor is 4 and high_freq_factor 4");
    refused(LLAMA ",\"rope_scaling\":{\"type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,"
                  "\"high_freq_factor\":4}",
            "lacks original_max_position_embeddings");
    refused(LLAMA ",\"partial_rotary_factor\":0.5", "partial_rotary_factor: 0.5 is out of bounds");
    refused(LLAMA ",\"head_dim\":7", "7 of the 7 coordinates of a head would turn");
    refused(NEOX ",\"rotary_pct\":0.1", "0 of the 8 coordinates of a head would turn");
    refused(GPTJ ",\"rotary_dim\":16", "rotary_dim: 16 is out of bounds (1 to 8)");
    refused(GPTJ ",\"rotary_dim\":4,\"rope_theta\":500", "rope_theta: 500 is out of bounds");
    refused(GPT2 ",\"rope_theta\":10000", "rope_theta: 10000, but a gpt2 has no rotary positions");
}

/* ---- sliding windows */

static size_t window_of(const char *members) {
    struct hf_config c = parsed(members);
    const size_t window = c.dims.window;
    hf_config_release(&c);
    return window;
}

static void windows_in_use_are_known(void **state) {
    (void)state;
    assert_int_equal(window_of(GROUPED("mistral")), 4096);
    assert_int_equal(window_of(GROUPED("mistral") ",\"sliding_window\":64"), 64);
    assert_int_equal(window_of(GROUPED("mistral") ",\"sliding_window\":null"), 0);
    assert_int_equal(window_of(GROUPED("qwen2") ",\"sliding_window\":64"), 0);
    assert_int_equal(
        window_of(GROUPED("qwen2") ",\"sliding_window\":64,\"use_sliding_window\":false"), 0);
#define SWITCHED GROUPED("qwen2") ",\"sliding_window\":64,\"use_sliding_window\":true"
    assert_int_equal(window_of(SWITCHED), 0); /* from layer 28 on */
    assert_int_equal(window_of(SWITCHED ",\"max_window_layers\":2"), 64);
    assert_int_equal(window_of(SWITCHED ",\"max_window_layers\":3"), 0);
    assert_int_equal(window_of(SWITCHED ",\"layer_types\":[\"full_attention\",\"full_attention\","
                                        "\"sliding_attention\"]"),
                     64);
    assert_int_equal(window_of(LLAMA), 0);
    refused(SWITCHED ",\"layer_types\":[\"full_attention\"]",
            "layer_types: 1 entries for 3 layers");
    refused(SWITCHED
            ",\"layer_types\":[\"full_attention\",\"full_attention\",\"linear_attention\"]",
            "layer_types: \"linear_attention\" is not computed");
}

static void longer_prompts_are_refused(void **state) {
    (void)state;
    struct hf_config c = parsed(GROUPED("mistral") ",\"sliding_window\":64");
    SUCCEEDS(length_check(&c.dims, 64, "m", &err));
    ERROR_SAYS(length_check(&c.dims, 65, "m", &err), ERR_DATA,
               "m: prompts of 65 tokens, but a sliding window of 64 tokens is in use");
    ERROR_SAYS(length_check(&c.dims, 257, "m", &err), ERR_DATA,
               "m: prompts of 257 tokens, but the model has 256 positions");
    hf_config_release(&c);
}

/* ---- refusals */

static void what_is_not_computed_is_refused(void **state) {
    (void)state;
    refused(SIZES("gemma2"), "model_type: \"gemma2\" is not a family that is computed (gpt2, gptj, "
                             "gpt_neox, llama, mistral, qwen2, qwen3)");
    refused(SIZES("a\\nb"), "model_type: \"a?b\"");
    refused("\"hidden_size\":48", "model_type: expected a text, received nothing");
    refused(LLAMA ",\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":4}",
            "quantization_config: the weights are quantised (quant_method \"gptq\")");
    refused(LLAMA ",\"quantization_config\":{}", "quant_method not given");
    refused(LLAMA ",\"clip_qkv\":8.0", "clip_qkv: 8 is not computed");
    refused(LLAMA ",\"num_local_experts\":8", "num_local_experts: 8 is not computed");
    refused(LLAMA ",\"qk_layernorm\":true", "qk_layernorm: true is not computed");
    refused(LLAMA ",\"residual_multiplier\":0.5", "residual_multiplier: 0.5 is not computed");
    refused(LLAMA ",\"hidden_act\":\"relu2\"", "hidden_act: \"relu2\" is not computed (gelu_new,");
    refused(GROUPED("mistral") ",\"attention_bias\":true",
            "attention_bias: true, but it is false in every mistral");
    refused(GROUPED("qwen2") ",\"attention_bias\":false",
            "attention_bias: false, but it is true in every qwen2");
    refused(GROUPED("qwen2") ",\"mlp_bias\":true",
            "mlp_bias: true, but it is false in every qwen2");
    refused(LLAMA ",\"use_parallel_residual\":true",
            "use_parallel_residual: true, but it is false");
    refused(NEOX ",\"num_key_value_heads\":2", "the heads of a gpt_neox (6) are not grouped");
}

static void neutral_values_pass(void **state) {
    (void)state;
    struct hf_config c =
        parsed(LLAMA ",\"quantization_config\":null,\"clip_qkv\":null,\"num_experts\":0,"
                     "\"qk_layernorm\":false,\"residual_multiplier\":1.0,\"pruned_heads\":{},"
                     "\"use_cache\":true,\"surprise\":3");
    assert_string_equal(text_str(&c.unread), "\"surprise\"");
    hf_config_release(&c);
}

static void absurd_numbers_are_refused(void **state) {
    (void)state;
    refused(LLAMA ",\"num_key_value_heads\":4",
            "num_key_value_heads: 6 heads are not divisible by 4 key-value heads");
    refused(LLAMA ",\"num_key_value_heads\":12", "6 heads are not divisible by 12");
    refused(LLAMA ",\"num_key_value_heads\":0", "num_key_value_heads: 0 is out of bounds");
    refused(SIZES("mistral"), "lacks num_key_value_heads");
    refused(LLAMA ",\"head_dim\":65536", "head_dim: 6 heads of 65536 are out of bounds");
    refused(LLAMA ",\"head_dim\":-64", "head_dim: -64 is out of bounds");
    refused(LLAMA ",\"head_dim\":9223372036854775807", "is out of bounds");
    refused(LLAMA ",\"head_dim\":92233720368547758070", "not valid JSON: too big integer");
    refused(LLAMA ",\"head_dim\":8.0", "head_dim: expected an integer, received 8");
    refused(LLAMA ",\"head_dim\":\"8\"", "head_dim: expected an integer, received \"8\"");
    refused(LLAMA ",\"rms_norm_eps\":0", "rms_norm_eps: 0 is out of bounds");
    refused(LLAMA ",\"rms_norm_eps\":-1e-5", "rms_norm_eps: -1e-05 is out of bounds");
    refused(LLAMA ",\"rms_norm_eps\":1e400", "not valid JSON: real number overflow");
    refused(LLAMA ",\"rope_theta\":0", "rope_theta: 0 is out of bounds");
    refused(LLAMA ",\"tie_word_embeddings\":1",
            "tie_word_embeddings: expected a boolean, received 1");
    refused(GPT2 ",\"n_inner\":100000000", "n_inner: 100000000 is out of bounds (1 to 262144)");
    refused("\"model_type\":\"gpt2\",\"vocab_size\":97,\"n_positions\":64,\"n_embd\":32,"
            "\"n_layer\":3,\"n_head\":5",
            "the width 32 is not divisible by 5 heads, and head_dim is not given");
    refused(
        "\"model_type\":\"gpt2\",\"vocab_size\":97,\"n_positions\":64,\"n_embd\":32,\"n_head\":4",
        "lacks num_hidden_layers (or n_layer)");
    refused("\"model_type\":\"gpt2\",\"vocab_size\":0,\"n_positions\":64,\"n_embd\":32,"
            "\"n_layer\":3,\"n_head\":4",
            "vocab_size: 0 is out of bounds");
    refused("\"model_type\":\"gpt2\",\"vocab_size\":97,\"n_positions\":64,\"n_embd\":32,"
            "\"n_layer\":null,\"n_head\":4",
            "lacks num_hidden_layers (or n_layer)");
}

static void malformed_text_is_refused(void **state) {
    (void)state;
    refused_text("", "not valid JSON");
    refused_text("{", "not valid JSON");
    refused_text("[]", "expected an object, received an array");
    refused_text("{\"model_type\":\"gpt2\",\"model_type\":\"llama\"}", "duplicate");
    char deep[2000];
    for (size_t i = 0; i + 5 < sizeof deep; i += 5) memcpy(deep + i, "{\"a\":", 6);
    refused_text(deep, "nested deeper than 64 levels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_has_its_defaults),
        cmocka_unit_test(gpt2_scales_scores_as_told),
        cmocka_unit_test(the_others_have_their_shapes),
        cmocka_unit_test(sizes_have_two_spellings),
        cmocka_unit_test(scalings_are_read_in_both_spellings),
        cmocka_unit_test(spellings_that_disagree_are_refused),
        cmocka_unit_test(other_scalings_are_refused_by_name),
        cmocka_unit_test(windows_in_use_are_known),
        cmocka_unit_test(longer_prompts_are_refused),
        cmocka_unit_test(what_is_not_computed_is_refused),
        cmocka_unit_test(neutral_values_pass),
        cmocka_unit_test(absurd_numbers_are_refused),
        cmocka_unit_test(malformed_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
