/*
 * What attention wrote at the query of a basis prompt, put in place of the query's own in the first
 * layers; or the mean of what it wrote at the last x's, the published inner optimisation.  Li et
 * al., "In-Context Learning State Vector with Inner and Momentum Optimization", NeurIPS 2024,
 * arXiv:2404.11225.  The residual stream keeps x (methods 3.5).
 */
#include <string.h>

#include "methods/method.h"

enum { LAST, AVERAGE }; /* setup.own: the last layer l*, or -1 where it is chosen; how many x's */

static size_t state_recent(const struct method_setup *s) {
    return s->own[AVERAGE] > 1 ? (size_t)s->own[AVERAGE] : 1;
}

static enum basis_part part_of(const struct method_setup *s) {
    return state_recent(s) > 1 ? BASIS_RECENT : BASIS_ATTENTION;
}

static unsigned state_basis(const struct method_setup *s) { return basis_bit(part_of(s)); }

static size_t state_choices(const struct method_setup *s) {
    return s->own[LAST] < 0 ? s->params->dims.L : 1;
}

static size_t last_of(const struct method_setup *s) {
    return s->own[LAST] < 0 ? s->choice : (size_t)s->own[LAST];
}

static double state_chosen(const struct method_setup *s) { return (double)last_of(s); }

static void state_vector(float *v, const float *w, const struct basis *b,
                         const struct method_setup *s, float *scratch) {
    (void)w, (void)scratch;
    const size_t row = b->R * s->params->dims.E;
    for (size_t l = 0; l <= last_of(s); l++)
        memcpy(v + l * row, b->part[part_of(s)] + l * b->stride * s->params->dims.E,
               row * sizeof *v);
}

static size_t state_edits(struct edit *items, const float *v, const float *w, size_t R,
                          const struct method_setup *s) {
    (void)w;
    const size_t E = s->params->dims.E, last = last_of(s);
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
    enum err_code rc = ERR_OK;
    char where[320];
    config_where(where, point, "state_vector.last");
    CHECK(s->own[LAST] < (double)s->params->dims.L, ERR_CONFIG,
          "%s: layer %.0f of a model of %zu, counted from 0", where, s->own[LAST],
          s->params->dims.L);
cleanup:
    return rc;
}

static void state_read(struct method_setup *s, const struct config_point *point) {
    s->own[LAST] = (double)config_int(point, "state_vector.last");
    s->own[AVERAGE] = (double)config_int(point, "state_vector.average");
}

static const struct config_key KEYS[] = {
    {
        .name = "state_vector.last",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = -1,
        .max = 1e4,
        .def = "-1",
        .when = "method=state_vector",
        .unit = "",
        .meaning = "the last layer that is replaced, from 0; -1: chosen on validation prompts",
    },
    {
        .name = "state_vector.average",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e6,
        .def = "1",
        .when = "method=state_vector",
        .unit = "x",
        .meaning =
            "mean over the last x's of the basis prompt, the query among them (published: 7)",
    },
};

extern const struct method method_state_vector;
const struct method method_state_vector = {
    .name = "state_vector",
    .meaning = "attention's output at a basis prompt's query replaces the query's, up to a layer",
    .paper = "Li et al., arXiv:2404.11225",
    .sees = "T0 - 1 examples of the function (basis \"prompt\"), or none (\"mean\")",
    .cost = "one basis prompt a function, and a token for each x of the mean",
    .scope = EDIT_QUERY,
    .prompt = METHOD_WHOLE,
    .basis = state_basis,
    .recent = state_recent,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = state_read,
    .check = state_check,
    .choices = state_choices,
    .chosen = state_chosen,
    .vector = state_vector,
    .edits = state_edits,
};
