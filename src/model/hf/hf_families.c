#include "model/hf/hf_families.h"

#include <string.h>

/* The registry: one line per family, X(family). */
#define HF_FAMILIES(X)                                                                             \
    X(gpt2)                                                                                        \
    X(gptj)                                                                                        \
    X(gpt_neox)                                                                                    \
    X(llama)                                                                                       \
    X(mistral)                                                                                     \
    X(qwen2)                                                                                       \
    X(qwen3)

#define X(name) extern const struct hf_family hf_family_##name;
HF_FAMILIES(X)
#undef X

/* Defaults are those of the configuration classes of transformers 5. */
const struct hf_family hf_family_gpt2 = {
    .model_type = "gpt2",
    .architecture = "GPT2LMHeadModel",
    .short_keys = true,
    .tensors = &family_gpt2,
    .epsilon_key = "layer_norm_epsilon",
    .epsilon = 1e-5,
    .activation = "gelu_new",
    .wide_mlp = true,
    .attention_bias = {.value = true},
    .mlp_bias = {.value = true},
    .biased_output = true,
    .tied = true,
    .scores_vary = true,
};

const struct hf_family hf_family_gptj = {
    .model_type = "gptj",
    .architecture = "GPTJForCausalLM",
    .short_keys = true,
    .tensors = &family_gptj,
    .epsilon_key = "layer_norm_epsilon",
    .epsilon = 1e-5,
    .activation = "gelu_new",
    .rotary = HF_ROTARY_COUNT,
    .rotary_default = 64,
    .wide_mlp = true,
    .mlp_bias = {.value = true},
    .parallel = {.value = true},
};

const struct hf_family hf_family_gpt_neox = {
    .model_type = "gpt_neox",
    .architecture = "GPTNeoXForCausalLM",
    .tensors = &family_neox,
    .epsilon_key = "layer_norm_eps",
    .epsilon = 1e-5,
    .activation = "gelu",
    .rotary = HF_ROTARY_FRACTION,
    .rotary_default = 0.25,
    .scales = true,
    .attention_bias = {.read = true, .value = true},
    .mlp_bias = {.value = true},
    .biased_output = true,
    .parallel = {.read = true, .value = true},
};

const struct hf_family hf_family_llama = {
    .model_type = "llama",
    .architecture = "LlamaForCausalLM",
    .tensors = &family_llama,
    .epsilon_key = "rms_norm_eps",
    .epsilon = 1e-6,
    .activation = "silu",
    .rotary = HF_ROTARY_WHOLE,
    .scales = true,
    .grouped = true,
    .attention_bias = {.read = true},
    .biased_output = true,
    .mlp_bias = {.read = true},
};

const struct hf_family hf_family_mistral = {
    .model_type = "mistral",
    .architecture = "MistralForCausalLM",
    .tensors = &family_mistral,
    .epsilon_key = "rms_norm_eps",
    .epsilon = 1e-6,
    .activation = "silu",
    .rotary = HF_ROTARY_WHOLE,
    .scales = true,
    .grouped = true,
    .grouped_said = true,
    .window = 4096,
};

const struct hf_family hf_family_qwen2 = {
    .model_type = "qwen2",
    .architecture = "Qwen2ForCausalLM",
    .tensors = &family_qwen2,
    .epsilon_key = "rms_norm_eps",
    .epsilon = 1e-6,
    .activation = "silu",
    .rotary = HF_ROTARY_WHOLE,
    .scales = true,
    .grouped = true,
    .grouped_said = true,
    .attention_bias = {.value = true},
    .window = 4096,
    .window_switched = true,
};

const struct hf_family hf_family_qwen3 = {
    .model_type = "qwen3",
    .architecture = "Qwen3ForCausalLM",
    .tensors = &family_qwen3,
    .epsilon_key = "rms_norm_eps",
    .epsilon = 1e-6,
    .activation = "silu",
    .rotary = HF_ROTARY_WHOLE,
    .scales = true,
    .grouped = true,
    .grouped_said = true,
    .attention_bias = {.read = true},
    .biased_output = true,
    .window = 4096,
    .window_switched = true,
};

#define X(name) &hf_family_##name,
static const struct hf_family *const ROWS[] = {HF_FAMILIES(X)};
#undef X
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

#define X(name) #name,
const char *const HF_FAMILY_NAMES[] = {HF_FAMILIES(X) NULL};
#undef X

const struct hf_family *hf_family_find(const char *model_type) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(ROWS[i]->model_type, model_type) == 0) return ROWS[i];
    return NULL;
}

void hf_family_list(struct text *out) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        text_add(out, "%s%s", i > 0 ? ", " : "", ROWS[i]->model_type);
}
