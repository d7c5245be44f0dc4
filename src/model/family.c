#include "model/family.h"

#include <assert.h>
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

static const struct family FAMILIES[FAMILY_COUNT] = {
    /* Garg et al., arXiv:2208.01066: GPT-2's blocks between a read-in and a read-out map. */
    [FAMILY_GPT2_REGRESSION] =
        {
            .title = "regression GPT-2",
            .embedding = EMBEDDING_READ_IN,
            .output = OUTPUT_READ_OUT,
            .names = {.read_in_w = "_read_in.weight",
                      .read_in_b = "_read_in.bias",
                      .wpe = "_backbone.wpe.weight",
                      .ln_f_w = "_backbone.ln_f.weight",
                      .ln_f_b = "_backbone.ln_f.bias",
                      .read_out_w = "_read_out.weight",
                      .read_out_b = "_read_out.bias"},
            .layer_prefix = "_backbone.h.",
            .layer = &GPT2_LAYER,
        },
    /* Radford et al. 2019, with the names of Hugging Face's GPT2LMHeadModel. */
    [FAMILY_GPT2] =
        {
            .title = "GPT-2",
            .embedding = EMBEDDING_TOKENS,
            .output = OUTPUT_TIED,
            .names = {.wte = "transformer.wte.weight",
                      .wpe = "transformer.wpe.weight",
                      .ln_f_w = "transformer.ln_f.weight",
                      .ln_f_b = "transformer.ln_f.bias"},
            .layer_prefix = "transformer.h.",
            .layer = &GPT2_LAYER,
        },
};

bool family_is_known(enum family_id id) {
    return (size_t)id < FAMILY_COUNT && FAMILIES[id].title != NULL;
}

const struct family *family_of(const struct model_dims *d) {
    assert(family_is_known(d->family));
    return &FAMILIES[d->family];
}

void family_layer_name(char out[PARAMS_NAME], const struct family *f, size_t l, const char *name) {
    (void)snprintf(out, PARAMS_NAME, "%s%zu.%s", f->layer_prefix, l, name);
}
