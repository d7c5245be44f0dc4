/*
 * Ridge regression without intercept: w minimises |X w - y|^2 + lambda |w|^2. With
 * lambda = noise variance / variance of a weight, w is the posterior mean for w ~ N(0, I), so no
 * estimator has a smaller expected squared error on noisy linear functions. lambda = 0 is least
 * squares of least norm. Cost: one LAPACK least-squares solution of k + dims rows for every k.
 */
#include "estimators/least_squares.h"

static size_t ridge_state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    (void)s;
    return least_squares_work(points, dims) * sizeof(double);
}

static double ridge_flops(const struct estimator_setup *s, size_t k, size_t dims) {
    (void)s;
    return least_squares_flops(k + dims, dims);
}

static enum err_code ridge_predict(double *y, const struct estimator_setup *s,
                                   const struct estimator_prompt *p, size_t k, void *state,
                                   struct err *err) {
    return least_squares_predict(y, state, p, k, s->weight, err);
}

/* setup.noise is a ratio already: source.scale multiplies the weights but not the noise. */
static void ridge_read(struct estimator_setup *s, const struct config_point *point) {
    s->weight = config_float(point, "ridge.lambda");
    if (s->weight < 0) s->weight = s->noise * s->noise;
}

static const struct config_key KEYS[] = {
    {.name = "ridge.lambda",
     .type = CONFIG_FLOAT,
     .flags = CONFIG_AXIS,
     .min = -1,
     .max = 1e12,
     .def = "-1.0",
     .when = "estimator=ridge",
     .unit = "",
     .meaning = "Penalty on |w|^2, added to the sum of squares; a negative value means the noise "
                "variance of the source over the variance of a weight, which is Bayes-optimal for"
                " noisy linear functions."},
};

extern const struct estimator estimator_ridge;
const struct estimator estimator_ridge = {
    .name = "ridge",
    .meaning = "Predicts w.x with w of least squared error plus a penalty on |w|^2.",
    .paper = "",
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = ridge_read,
    .state = ridge_state_bytes,
    .flops = ridge_flops,
    .predict = ridge_predict,
};
