/* Predicts a number from the config: the smallest estimator. docs/extending.md explains it. */
#include "estimators/estimator.h"

static double flops(const struct estimator_setup *s, size_t k, size_t dims) {
    (void)s, (void)k, (void)dims;
    return 1;
}

static enum err_code predict(double *y, const struct estimator_setup *s,
                             const struct estimator_prompt *p, size_t k, void *state,
                             struct err *err) {
    (void)p, (void)k, (void)state, (void)err;
    *y = s->weight;
    return ERR_OK;
}

static void read_keys(struct estimator_setup *s, const struct config_point *point) {
    s->weight = config_float(point, "dummy.guess");
}

static const struct config_key KEYS[] = {
    {.name = "dummy.guess",
     .type = CONFIG_FLOAT,
     .flags = CONFIG_AXIS,
     .def = "0.0",
     .when = "estimator=dummy",
     .unit = "",
     .meaning = "Its prediction for every query."},
};

extern const struct estimator estimator_dummy;
const struct estimator estimator_dummy = {
    .name = "dummy",
    .meaning = "Always the same number.",
    .paper = "",
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = read_keys,
    .flops = flops,
    .predict = predict,
};
