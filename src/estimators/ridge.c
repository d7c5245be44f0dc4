/*
 * Ridge regression without intercept: least |X w - y|^2 + lambda |w|^2. With lambda = the noise's
 * variance over that of a weight it is the mean of w given the examples, w normal: no estimator has
 * less squared error on noisy linear functions. Without noise it is least squares.
 */
#include "estimators/least_squares.h"

static size_t state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    (void)s;
    return least_squares_work(points, dims) * sizeof(double);
}

static double flops(const struct estimator_setup *s, size_t k, size_t dims) {
    (void)s;
    return least_squares_flops(k + dims, dims);
}

static enum err_code predict(double *y, const struct estimator_setup *s,
                             const struct estimator_prompt *p, size_t k, void *state,
                             struct err *err) {
    return least_squares_predict(y, state, p, k, s->weight, err);
}

/* The source may be scaled, its noise is not: what counts is their ratio. */
static void read_keys(struct estimator_setup *s, const struct config_point *point) {
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
    .read = read_keys,
    .state = state_bytes,
    .flops = flops,
    .predict = predict,
};
