/*
 * What the examples did to the state after one layer at the query of a basis prompt.
 * Hendel, Geva, Globerson, "In-Context Learning Creates Task Vectors", EMNLP Findings 2023,
 * arXiv:2310.15916, which puts the state in place of the query's own.  Here the query is the last
 * token, and replacing its state erases x; so the default adds the difference from the same query
 * without examples (methods 3.4).
 */
#include <assert.h>
#include <string.h>

#include "methods/method.h"

enum task_form { TASK_DIFFERENCE, TASK_REPLACE };
enum { LAYER }; /* setup.own: the layer, or -1 where it is chosen */

static const char *const FORMS[] = {"difference", "replace", NULL};

static unsigned task_basis(const struct method_setup *s) {
    const unsigned alone = s->variant == TASK_DIFFERENCE ? basis_bit(BASIS_ALONE) : 0;
    return basis_bit(BASIS_STATE) | alone;
}

static size_t task_choices(const struct method_setup *s) {
    return s->own[LAYER] < 0 ? s->params->dims.L : 1;
}

static size_t layer_of(const struct method_setup *s) {
    return s->own[LAYER] < 0 ? s->choice : (size_t)s->own[LAYER];
}

static double task_chosen(const struct method_setup *s) { return (double)layer_of(s); }

static size_t task_values(const struct method_setup *s) { return s->params->dims.E; }

static void task_vector(float *v, const float *w, const struct basis *b,
                        const struct method_setup *s, float *scratch) {
    (void)w, (void)scratch;
    const size_t E = s->params->dims.E, at = layer_of(s) * b->stride * E;
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
    items[0] = (struct edit){.layer = layer_of(s),
                             .operation = s->variant == TASK_REPLACE ? EDIT_REPLACE : EDIT_ADD,
                             .scale = 1.0F,
                             .values = v,
                             .row_stride = R > 1 ? E : 0};
    return 1;
}

static size_t task_edits_most(const struct method_setup *s) {
    (void)s;
    return 1;
}

static enum err_code task_check(const struct method_setup *s, const struct config_point *point,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    char where[320];
    config_where(where, point, "task_vector.layer");
    CHECK(s->own[LAYER] < (double)s->params->dims.L, ERR_CONFIG,
          "%s: layer %.0f of a model of %zu, counted from 0", where, s->own[LAYER],
          s->params->dims.L);
cleanup:
    return rc;
}

static void task_read(struct method_setup *s, const struct config_point *point) {
    const char *form = config_text(point, "task_vector.form");
    while (FORMS[s->variant] && strcmp(FORMS[s->variant], form) != 0) s->variant++;
    assert(FORMS[s->variant]);
    s->own[LAYER] = (double)config_int(point, "task_vector.layer");
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
        .meaning = "add what the examples change in the state, or put that state in place of the "
                   "query's own (published; here it erases x)",
    },
    {
        .name = "task_vector.layer",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = -1,
        .max = 1e4,
        .def = "-1",
        .when = "method=task_vector",
        .unit = "",
        .meaning = "the layer after which it acts, from 0; -1: chosen on validation prompts",
    },
};

extern const struct method method_task_vector;
const struct method method_task_vector = {
    .name = "task_vector",
    .meaning = "the state of a basis prompt's query after one layer, less that without examples",
    .paper = "Hendel et al., arXiv:2310.15916",
    .sees = "T0 - 1 examples of the function (basis \"prompt\"), or none (\"mean\")",
    .cost = "one basis prompt and one token a function",
    .scope = EDIT_QUERY,
    .prompt = METHOD_WHOLE,
    .basis = task_basis,
    .variants = FORMS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = task_read,
    .check = task_check,
    .choices = task_choices,
    .chosen = task_chosen,
    .vector = task_vector,
    .values = task_values,
    .edits = task_edits,
    .edits_most = task_edits_most,
};
