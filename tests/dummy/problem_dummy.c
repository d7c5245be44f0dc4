/* y = a with a ~ N(0, 1), whatever x: the smallest problem. docs/extending.md explains it. */
#include "sources/problems/problem.h"

static size_t parameters(const struct problem_setup *s) {
    (void)s;
    return 1;
}

static void draw(float *a, const struct problem_setup *s, const struct rng *stream, uint64_t sample,
                 size_t active) {
    (void)s, (void)active;
    rng_normals(a, 1, stream, sample, 0);
}

static void evaluate(float *y, const float *a, const struct problem_setup *s, const float *x,
                     size_t points) {
    (void)s, (void)x;
    for (size_t i = 0; i < points; i++) y[i] = *a;
}

static double variance(const struct problem_setup *s, size_t active) {
    (void)s, (void)active;
    return 1;
}

extern const struct problem problem_dummy;
const struct problem problem_dummy = {
    .name = "dummy",
    .meaning = "y = a with a ~ N(0, 1).",
    .loss = PROBLEM_SQUARED,
    .parameters = parameters,
    .draw = draw,
    .evaluate = evaluate,
    .variance = variance,
};
