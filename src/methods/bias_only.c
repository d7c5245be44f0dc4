/*
 * v[l] = s[l] b[l]: L learned multipliers of the bias b[l] of the attention output projection.
 * It is the part of the ltv variants with a bias that does not depend on activations.
 *
 * Source: none published.
 * Sees: nothing of the function.
 * Cost: none.
 */
#include "methods/method.h"

#include "model/family.h"
#include "ops/vector_ops.h"

static void bias_shape(size_t shape[2], const struct method_setup *s) {
    shape[0] = s->params->dims.L;
    shape[1] = 1;
}

static void bias_vector(float *v, const float *w, const struct basis *b,
                        const struct method_setup *s, float *scratch) {
    (void)b, (void)scratch;
    size_t E = s->params->dims.E;
    for (size_t l = 0; l < s->params->dims.L; l++)
        for (size_t e = 0; e < E; e++) v[l * E + e] = w[l] * s->params->layers[l].proj_b[e];
}

static void bias_gradient(float *dw, const float *g, size_t g_stride, size_t R,
                          const struct basis *b, const struct method_setup *s, float *scratch) {
    (void)b, (void)scratch;
    size_t E = s->params->dims.E;
    for (size_t l = 0; l < s->params->dims.L; l++) {
        double sum = 0;
        for (size_t r = 0; r < R; r++)
            sum += vector_dot(g + (l * g_stride + r) * E, s->params->layers[l].proj_b, E);
        dw[l] = (float)sum;
    }
}

static void bias_read(struct method_setup *s, const struct config_point *point) {
    s->init = config_float(point, "bias_only.init");
}

static enum err_code bias_check(const struct method_setup *s, const struct config_point *point,
                                struct err *err) {
    const struct model_dims *d = &s->params->dims;
    if (family_of(d)->biased || d->output_bias) return ERR_OK;
    return config_error(err, point, "method",
                        "bias_only scales the output biases of attention blocks, and this %s has "
                        "none: leave bias_only out",
                        family_of(d)->title);
}

static const struct config_key KEYS[] = {{
    .name = "bias_only.init",
    .type = CONFIG_FLOAT,
    .flags = CONFIG_AXIS,
    .min = 0,
    .max = 1e3,
    .def = "0.0",
    .when = "method=bias_only",
    .unit = "",
    .meaning = "Standard deviation of the initial multipliers.",
}};

extern const struct method method_bias_only;
const struct method method_bias_only = {
    .name = "bias_only",
    .docs = {.meaning = "L learned multipliers, one for the output bias of each attention block.",
             .paper = "",
             .sees = "nothing",
             .cost = "none",
             .control = true,
             .weights = "L x 1: one number for each layer",
             .vector = "v_l = weights_l b_l",
             .place = "adds v_l to the output of every block l; query"},
    .config = {.rows = KEYS, .n = 1, .read = bias_read, .check = bias_check},
    .derivation = {.weights_shape = bias_shape, .init = method_init_normals},
    .application = {.vector = bias_vector, .gradient = bias_gradient},
};
