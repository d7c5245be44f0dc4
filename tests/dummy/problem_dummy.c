/* y = a with a ~ N(0, spread^2), whatever x: the smallest problem; see docs/extending.md. */
#include "sources/problems/problem.h"

struct dummy_keys {
    double spread;
};
PROBLEM_KEYS(dummy)

static size_t parameters(const struct problem_setup *s) {
    (void)s;
    return 1;
}

static void draw(float *a, const struct problem_setup *s, const struct rng *stream, uint64_t sample,
                 size_t active) {
    (void)active;
    rng_normals(a, 1, stream, sample, 0);
    *a *= (float)dummy_keys(s).spread;
}

static void evaluate(float *y, const float *a, const struct problem_setup *s, const float *x,
                     size_t points) {
    (void)s, (void)x;
    for (size_t i = 0; i < points; i++) y[i] = *a;
}

static double variance(const struct problem_setup *s, size_t active) {
    (void)active;
    return dummy_keys(s).spread * dummy_keys(s).spread;
}

static void read_keys(struct problem_setup *s, const struct config_point *point) {
    dummy_set_keys(s, (struct dummy_keys){.spread = config_float(point, "source.spread")});
}

static const struct config_key KEYS[] = {
    {.name = "source.spread",
     .type = CONFIG_FLOAT,
     .flags = CONFIG_AXIS,
     .min = 1e-6,
     .max = 1e6,
     .def = "1.0",
     .when = "source.problem=dummy",
     .unit = "",
     .meaning = "Standard deviation of a."},
};

extern const struct problem problem_dummy;
const struct problem problem_dummy = {
    .name = "dummy",
    .meaning = "y = a with a ~ N(0, spread^2).",
    .loss = PROBLEM_SQUARED,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = read_keys,
    .parameters = parameters,
    .draw = draw,
    .evaluate = evaluate,
    .variance = variance,
};
