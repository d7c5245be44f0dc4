/*
 * One learned vector, added to the input of one layer at the query, the same for every prompt.
 * Yang et al., ICLR 2026, arXiv:2509.24169.  The input of layer l is the output of block l - 1;
 * that of layer 0 is the embedded query.  It is trained on prompts of points - 1 examples, none at
 * points = 1 (published), where it cannot know the function.
 */
#include <string.h>

#include "methods/method.h"
#include "ops/rows.h"

enum { LAYER }; /* setup.own: the layer, or -1 where it is chosen */

static size_t learned_choices(const struct method_setup *s) {
    return s->own[LAYER] < 0 ? s->params->dims.L : 1;
}

static size_t layer_of(const struct method_setup *s) {
    return s->own[LAYER] < 0 ? s->choice : (size_t)s->own[LAYER];
}

static double learned_chosen(const struct method_setup *s) { return (double)layer_of(s); }

static size_t learned_weights(const struct method_setup *s) { return s->params->dims.E; }

static void learned_shape(size_t shape[2], const struct method_setup *s) {
    shape[0] = 1;
    shape[1] = s->params->dims.E;
}

static void learned_init(float *w, const struct method_setup *s, const struct rng *stream) {
    for (size_t e = 0; e < learned_weights(s); e++) {
        double u;
        rng_uniforms(&u, 1, stream, 0, e);
        w[e] = (float)(s->init * (2 * u - 1));
    }
}

static void learned_vector(float *v, const float *w, const struct basis *b,
                           const struct method_setup *s, float *scratch) {
    (void)b, (void)scratch;
    memcpy(v, w, learned_weights(s) * sizeof *v);
}

static size_t learned_edits(struct edit *items, const float *v, const float *w, size_t R,
                            const struct method_setup *s) {
    (void)w, (void)R;
    const size_t l = layer_of(s);
    items[0] = (struct edit){.layer = l > 0 ? l - 1 : 0,
                             .site = l > 0 ? EDIT_BLOCK : EDIT_EMBEDDING,
                             .scale = 1.0F,
                             .values = v};
    return 1;
}

static size_t learned_edits_most(const struct method_setup *s) {
    (void)s;
    return 1;
}

static void learned_gradient_at(float *dw, const struct query_place *at, const float *v,
                                const float *w, const struct basis *b, const struct method_setup *s,
                                float *scratch) {
    (void)v, (void)w, (void)b, (void)scratch;
    rows_sum(dw, at->g, at->R, s->params->dims.E);
}

static enum err_code learned_check(const struct method_setup *s, const struct config_point *point,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    char where[320];
    config_where(where, point, "learned_vector.layer");
    CHECK(s->own[LAYER] < (double)s->params->dims.L, ERR_CONFIG,
          "%s: layer %.0f of a model of %zu, counted from 0", where, s->own[LAYER],
          s->params->dims.L);
cleanup:
    return rc;
}

static void learned_read(struct method_setup *s, const struct config_point *point) {
    s->own[LAYER] = (double)config_int(point, "learned_vector.layer");
    s->init = config_float(point, "learned_vector.init");
}

static const struct config_key KEYS[] = {
    {
        .name = "learned_vector.layer",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = -1,
        .max = 1e4,
        .def = "-1",
        .when = "method=learned_vector",
        .unit = "",
        .meaning = "the layer whose input it is added to, from 0 (the embedded query); -1: chosen "
                   "on validation prompts",
    },
    {
        .name = "learned_vector.init",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 0,
        .max = 1e3,
        .def = "0.1",
        .when = "method=learned_vector",
        .unit = "",
        .meaning = "bound of the initial numbers, uniform on both sides of 0",
    },
};

extern const struct method method_learned_vector;
const struct method method_learned_vector = {
    .name = "learned_vector",
    .meaning = "E learned numbers added to the input of one layer, the same for every prompt",
    .paper = "Yang et al., arXiv:2509.24169",
    .sees = "nothing",
    .cost = "none",
    .scope = EDIT_QUERY,
    .prompt = METHOD_WHOLE,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = learned_read,
    .check = learned_check,
    .weights = learned_weights,
    .weights_shape = learned_shape,
    .init = learned_init,
    .choices = learned_choices,
    .chosen = learned_chosen,
    .vector = learned_vector,
    .values = learned_weights,
    .edits = learned_edits,
    .edits_most = learned_edits_most,
    .gradient_at = learned_gradient_at,
};
