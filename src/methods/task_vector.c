/*
 * Task vector: the effect of the examples on the residual state h after one layer, at the query
 * of a basis prompt. The layer is chosen on validation prompts.
 *
 *   difference    h + (h_basis - h_alone)     h_alone: the same query without examples
 *   replace       h_basis                     published
 *
 * The paper replaces the state of a separator token. Here the query is the last token, and
 * replacing its state would erase x, so `difference` is the default.
 *
 * Source: Hendel, Geva, Globerson, "In-Context Learning Creates Task Vectors", EMNLP Findings
 *   2023, arXiv:2310.15916.
 * Sees: T0 - 1 examples of the function through the basis prompt; with basis "mean", none.
 * Cost: one basis prompt and one token per function.
 * Deviations from the paper: docs/methods.md.
 */
#include <string.h>

#include "base/text.h"
#include "methods/layer_choice.h"

enum task_form { TASK_DIFFERENCE, TASK_REPLACE };

static const char *const FORMS[] = {"difference", "replace", NULL};

static unsigned task_basis(const struct method_setup *s) {
    const unsigned alone = s->variant == TASK_DIFFERENCE ? basis_bit(BASIS_ALONE) : 0;
    return basis_bit(BASIS_STATE) | alone;
}

static size_t task_values(const struct method_setup *s) { return s->params->dims.E; }

static void task_vector(float *v, const float *w, const struct basis *b,
                        const struct method_setup *s, float *scratch) {
    (void)w, (void)scratch;
    const size_t E = s->params->dims.E, at = layer_choice_of(s) * b->stride * E;
    const float *state = b->part[BASIS_STATE] + at;
    memcpy(v, state, b->R * E * sizeof *v);
    if (s->variant != TASK_DIFFERENCE) return;
    const float *alone = b->part[BASIS_ALONE] + at;
    for (size_t i = 0; i < b->R * E; i++) v[i] -= alone[i];
}

static size_t task_edits(struct edit *items, const float *v, const float *w, size_t R,
                         const struct method_setup *s) {
    (void)w;
    const size_t E = s->params->dims.E;
    items[0] = (struct edit){.layer = layer_choice_of(s),
                             .operation = s->variant == TASK_REPLACE ? EDIT_REPLACE : EDIT_ADD,
                             .scale = 1.0F,
                             .values = v,
                             .row_stride = R > 1 ? E : 0};
    return 1;
}

static enum err_code task_check(const struct method_setup *s, const struct config_point *point,
                                struct err *err) {
    return layer_choice_check(s, point, "task_vector.layer", err);
}

static void task_read(struct method_setup *s, const struct config_point *point) {
    s->variant = text_index(FORMS, config_text(point, "task_vector.form"));
    layer_choice_read(s, point, "task_vector.layer");
}

static const struct config_key KEYS[] = {
    {
        .name = "task_vector.form",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "difference",
        .choices = FORMS,
        .when = "method=task_vector",
        .unit = "",
        .meaning =
            "Whether to add the change that the examples make to the state, or to replace the"
            " query's state (published; on regression this erases x).",
    },
    LAYER_CHOICE_KEY("task_vector", "layer", "Layer after which the edit acts, counted from 0"),
};

extern const struct method method_task_vector;
const struct method method_task_vector = {
    .name = "task_vector",
    .docs = {.meaning = "State of a basis prompt's query after one layer, minus that state without "
                        "examples.",
             .paper = "Hendel et al., arXiv:2310.15916",
             .sees = "T0 - 1 examples of the function (basis \"prompt\"), or none (basis \"mean\")",
             .cost = "one basis prompt and one token per function",
             .text = "the query token is the separator after x, so replace is what the paper does; "
                     "difference takes the same query without shots away",
             .weights = "",
             .vector = "v = basis_state_l - basis_alone_l; form replace: v = basis_state_l; l is "
                       "task_vector.layer, or choice",
             .place = "adds v to the output of block l (replace: replaces it); query"},
    .config = {.variants = FORMS,
               .rows = KEYS,
               .n = sizeof KEYS / sizeof *KEYS,
               .read = task_read,
               .check = task_check},
    .inputs = {.basis = task_basis},
    .derivation = {.choices = layer_choice_count, .chosen = layer_choice_shown},
    .application = {.vector = task_vector,
                    .values = task_values,
                    .edits = task_edits,
                    .edits_most = method_one_edit},
};
