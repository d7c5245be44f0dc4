#include "model/hf/hf_names.h"

#include <string.h>

#include "base/text.h"

static const char *const OUTPUTS[] = {"lm_head.weight", "embed_out.weight"};

/* The name without its prefix; NULL: it has none. */
static const char *without_prefix(const char *name) {
    static const char *const PREFIXES[] = {"transformer.", "gpt_neox.", "model."};
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++) {
        const size_t n = strlen(PREFIXES[i]);
        if (strncmp(name, PREFIXES[i], n) == 0) return name + n;
    }
    return NULL;
}

const struct tensor_info *hf_names_output(const struct tensor_set *s) {
    const struct tensor_info *found = tensor_set_find(s, OUTPUTS[0]);
    return found ? found : tensor_set_find(s, OUTPUTS[1]);
}

const struct tensor_info *hf_names_find(const struct tensor_set *s, const char *name) {
    const struct tensor_info *found = tensor_set_find(s, name);
    if (found) return found;
    for (size_t i = 0; i < sizeof OUTPUTS / sizeof *OUTPUTS; i++)
        if (strcmp(name, OUTPUTS[i]) == 0) return hf_names_output(s);
    const char *rest = without_prefix(name);
    return rest ? tensor_set_find(s, rest) : NULL;
}

bool hf_names_is_buffer(const char *name) {
    static const char *const ENDS[] = {"attn.bias", "attn.masked_bias", "attention.bias",
                                       "attention.masked_bias", "rotary_emb.inv_freq"};
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        const size_t n = strlen(name), m = strlen(ENDS[i]);
        if (!text_ends_with(name, ENDS[i])) continue;
        if (n == m || name[n - m - 1] == '.') return true;
    }
    return false;
}
