#include "model/hf/hf_families.h"

#include <string.h>

/* Defaults are those of the configuration classes of transformers 5. */
static const struct hf_family GPT2 = {
    .model_type = "gpt2",
    .id = FAMILY_GPT2,
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

static const struct hf_family GPTJ = {
    .model_type = "gptj",
    .id = FAMILY_GPTJ,
    .epsilon_key = "layer_norm_epsilon",
    .epsilon = 1e-5,
    .activation = "gelu_new",
    .rotary = HF_ROTARY_COUNT,
    .rotary_default = 64,
    .wide_mlp = true,
    .mlp_bias = {.value = true},
    .parallel = {.value = true},
};

static const struct hf_family GPT_NEOX = {
    .model_type = "gpt_neox",
    .id = FAMILY_NEOX,
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

static const struct hf_family LLAMA = {
    .model_type = "llama",
    .id = FAMILY_LLAMA,
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

static const struct hf_family MISTRAL = {
    .model_type = "mistral",
    .id = FAMILY_MISTRAL,
    .epsilon_key = "rms_norm_eps",
    .epsilon = 1e-6,
    .activation = "silu",
    .rotary = HF_ROTARY_WHOLE,
    .scales = true,
    .grouped = true,
    .grouped_said = true,
    .window = 4096,
};

static const struct hf_family QWEN2 = {
    .model_type = "qwen2",
    .id = FAMILY_QWEN2,
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

static const struct hf_family QWEN3 = {
    .model_type = "qwen3",
    .id = FAMILY_QWEN3,
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

#define HF_FAMILIES(X) X(GPT2) X(GPTJ) X(GPT_NEOX) X(LLAMA) X(MISTRAL) X(QWEN2) X(QWEN3)

#define X(row) &row,
static const struct hf_family *const ROWS[] = {HF_FAMILIES(X)};
#undef X
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

const struct hf_family *hf_family_find(const char *model_type) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(ROWS[i]->model_type, model_type) == 0) return ROWS[i];
    return NULL;
}

void hf_family_list(struct text *out) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        text_add(out, "%s%s", i > 0 ? ", " : "", ROWS[i]->model_type);
}
