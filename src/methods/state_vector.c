/*
 * State vector: the attention output a[l] at the query of a basis prompt replaces that of the
 * query in layers 0 .. l*; l* is chosen on validation prompts. With `average` > 1 it is the mean
 * of a[l] over the last x's of the basis prompt (the paper's inner optimisation, over 7). The
 * residual stream keeps x.
 *
 * Source: Li et al., "In-Context Learning State Vector with Inner and Momentum Optimization",
 *   NeurIPS 2024, arXiv:2404.11225. Momentum and aggregation are not implemented.
 * Sees: T0 - 1 examples of the function through the basis prompt; with basis "mean", none.
 * Cost: one basis prompt per function, and one token per averaged x.
 * Deviations from the paper: docs/methods.md.
 */
#include "methods/state_vector.h"

#include <string.h>

#include "methods/layer_choice.h"

static size_t state_recent(const struct method_setup *s) {
    const int64_t average = state_vector_keys(s).average;
    return average > 1 ? (size_t)average : 1;
}

static enum basis_part state_part(const struct method_setup *s) {
    return state_recent(s) > 1 ? BASIS_RECENT : BASIS_ATTENTION;
}

static unsigned state_basis(const struct method_setup *s) { return basis_bit(state_part(s)); }

static void state_vector(float *v, const float *w, const struct basis *b,
                         const struct method_setup *s, float *scratch) {
    (void)w, (void)scratch;
    const size_t row = b->R * s->params->dims.E;
    for (size_t l = 0; l <= layer_choice_of(s); l++)
        memcpy(v + l * row, b->part[state_part(s)] + l * b->stride * s->params->dims.E,
               row * sizeof *v);
}

static size_t state_edits(struct edit *items, const float *v, const float *w, size_t R,
                          const struct method_setup *s) {
    (void)w;
    const size_t E = s->params->dims.E, last = layer_choice_of(s);
    for (size_t l = 0; l <= last; l++)
        items[l] = (struct edit){.layer = l,
                                 .site = EDIT_ATTENTION,
                                 .operation = EDIT_REPLACE,
                                 .values = v + l * R * E,
                                 .row_stride = R > 1 ? E : 0};
    return last + 1;
}

static enum err_code state_check(const struct method_setup *s, const struct config_point *point,
                                 struct err *err) {
    return layer_choice_check(s, point, "state_vector.last", err);
}

static void state_read(struct method_setup *s, const struct config_point *point) {
    layer_choice_read(s, point, "state_vector.last");
    state_vector_set_keys(s, (struct state_vector_keys){
                                 .average = config_int(point, "state_vector.average"),
                             });
}

static const struct config_key KEYS[] = {
    LAYER_CHOICE_KEY("state_vector", "last",
                     "Last layer whose attention output is replaced, counted from 0"),
    {
        .name = "state_vector.average",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e6,
        .def = "1",
        .when = "method=state_vector",
        .unit = "x",
        .meaning = "Number of last x tokens of the basis prompt, including the query, that are "
                   "averaged (published: 7).",
    },
};

extern const struct method method_state_vector;
const struct method method_state_vector = {
    .name = "state_vector",
    .docs =
        {.meaning =
             "The attention outputs at a basis prompt's query replace those at the query, up "
             "to a layer.",
         .paper = "Li et al., arXiv:2404.11225",
         .sees = "T0 - 1 examples of the function (basis \"prompt\"), or none (basis \"mean\")",
         .cost = "one basis prompt per function, and one token per averaged x",
         .text = "averages over the last tokens before an answer, as published",
         .weights = "",
         .vector = "v_l = basis_attention_l; average > 1: v_l = basis_recent_l",
         .place =
             "replaces the attention output of layers 0 to state_vector.last, or to choice; query"},
    .config = {.rows = KEYS,
               .n = sizeof KEYS / sizeof *KEYS,
               .read = state_read,
               .check = state_check},
    .inputs = {.basis = state_basis, .recent = state_recent},
    .derivation = {.choices = layer_choice_count, .chosen = layer_choice_shown},
    .application = {.vector = state_vector, .edits = state_edits},
};
