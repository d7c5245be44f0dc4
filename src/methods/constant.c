/*
 * Constant vector, the input-independent baseline: v[l] = w[l], L x E learned numbers, added to the
 * output of every block at the query. It measures what a vector recovers without activations.
 *
 * Source: none published.
 * Sees: nothing of the function.
 * Cost: none.
 */
#include "methods/method.h"

#include <string.h>

#include "ops/vector_ops.h"

static void constant_shape(size_t shape[2], const struct method_setup *s) {
    shape[0] = s->params->dims.L;
    shape[1] = s->params->dims.E;
}

static void constant_vector(float *v, const float *w, const struct basis *b,
                            const struct method_setup *s, float *scratch) {
    (void)b, (void)scratch;
    memcpy(v, w, method_weights(s) * sizeof *v);
}

static void constant_gradient(float *dw, const float *g, size_t g_stride, size_t R,
                              const struct basis *b, const struct method_setup *s, float *scratch) {
    (void)b, (void)scratch;
    size_t E = s->params->dims.E;
    memset(dw, 0, method_weights(s) * sizeof *dw);
    for (size_t l = 0; l < s->params->dims.L; l++) rows_sum(dw + l * E, g + l * g_stride * E, R, E);
}

static void constant_read(struct method_setup *s, const struct config_point *point) {
    s->init = config_float(point, "constant.init");
}

static const struct config_key KEYS[] = {{
    .name = "constant.init",
    .type = CONFIG_FLOAT,
    .flags = CONFIG_AXIS,
    .min = 0,
    .max = 1e3,
    .def = "0.0",
    .when = "method=constant",
    .unit = "",
    .meaning = "Standard deviation of the initial values.",
}};

extern const struct method method_constant;
const struct method method_constant = {
    .name = "constant",
    .docs = {.meaning =
                 "L x E learned values, the same for every prompt: the input-independent baseline.",
             .paper = "",
             .sees = "nothing",
             .cost = "none",
             .control = true,
             .weights = "L x E: the vector",
             .vector = "v_l = weights_l",
             .place = "adds v_l to the output of every block l; query"},
    .config = {.rows = KEYS, .n = 1, .read = constant_read},
    .derivation = {.weights_shape = constant_shape, .init = method_init_normals},
    .application = {.vector = constant_vector, .gradient = constant_gradient},
};
