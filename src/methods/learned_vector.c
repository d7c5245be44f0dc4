/*
 * Learned vector: E learned numbers added to the input of one layer at the query, the same for
 * every prompt. The input of layer l is the output of block l - 1, that of layer 0 the embedded
 * query; the layer is chosen on validation prompts. Training prompts have points - 1 examples;
 * the paper trains without examples (points = 1).
 *
 * Source: Yang et al., ICLR 2026, arXiv:2509.24169.
 * Sees: nothing of the function.
 * Cost: none.
 * Deviations from the paper: docs/methods.md.
 */
#include <string.h>

#include "methods/layer_choice.h"
#include "ops/vector_ops.h"

static void learned_shape(size_t shape[2], const struct method_setup *s) {
    shape[0] = 1;
    shape[1] = s->params->dims.E;
}

static void learned_init(float *w, const struct method_setup *s, const struct rng *stream) {
    for (size_t e = 0; e < s->params->dims.E; e++) {
        double u;
        rng_uniforms(&u, 1, stream, 0, e);
        w[e] = (float)(s->init * (2 * u - 1));
    }
}

static void learned_vector(float *v, const float *w, const struct basis *b,
                           const struct method_setup *s, float *scratch) {
    (void)b, (void)scratch;
    memcpy(v, w, s->params->dims.E * sizeof *v);
}

static size_t learned_edits(struct edit *items, const float *v, const float *w, size_t R,
                            const struct method_setup *s) {
    (void)w, (void)R;
    const size_t l = layer_choice_of(s);
    items[0] = (struct edit){.layer = l > 0 ? l - 1 : 0,
                             .site = l > 0 ? EDIT_BLOCK : EDIT_EMBEDDING,
                             .scale = 1.0F,
                             .values = v};
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
    return layer_choice_check(s, point, "learned_vector.layer", err);
}

static void learned_read(struct method_setup *s, const struct config_point *point) {
    layer_choice_read(s, point, "learned_vector.layer");
    s->init = config_float(point, "learned_vector.init");
}

static const struct config_key KEYS[] = {
    LAYER_CHOICE_KEY(
        "learned_vector", "layer",
        "Layer to whose input the vector is added, counted from 0 (the embedded query)"),
    {
        .name = "learned_vector.init",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 0,
        .max = 1e3,
        .def = "0.1",
        .when = "method=learned_vector",
        .unit = "",
        .meaning = "Bound of the initial values, which are uniform around 0.",
    },
};

extern const struct method method_learned_vector;
const struct method method_learned_vector = {
    .name = "learned_vector",
    .docs = {.meaning =
                 "E learned values added to the input of one layer, the same for every prompt.",
             .paper = "Yang et al., arXiv:2509.24169",
             .sees = "nothing",
             .cost = "none",
             .weights = "1 x E: the vector",
             .vector = "v = weights_0",
             .place = "adds v to the input of layer l, the output of block l - 1 or the embedding, "
                      "where l is learned_vector.layer, or choice; query"},
    .config = {.rows = KEYS,
               .n = sizeof KEYS / sizeof *KEYS,
               .read = learned_read,
               .check = learned_check},
    .derivation = {.weights_shape = learned_shape,
                   .init = learned_init,
                   .choices = layer_choice_count,
                   .chosen = layer_choice_shown},
    .application = {.vector = learned_vector,
                    .values = method_weights,
                    .edits = learned_edits,
                    .edits_most = method_one_edit,
                    .gradient_at = learned_gradient_at},
};
