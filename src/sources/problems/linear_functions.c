#include "sources/problems/linear_functions.h"

#include "ops/vector_ops.h"

size_t linear_functions_parameters(const struct problem_setup *s) { return s->dims; }

void linear_functions_draw(float *w, const struct problem_setup *s, const struct rng *stream,
                           uint64_t sample, size_t active) {
    (void)active; /* inactive coordinates of x are 0 */
    rng_normals(w, s->dims, stream, sample, 0);
}

void linear_functions_evaluate(float *y, const float *w, const struct problem_setup *s,
                               const float *x, size_t points) {
    for (size_t i = 0; i < points; i++) y[i] = (float)vector_dot(w, x + i * s->dims, s->dims);
}

double linear_functions_variance(const struct problem_setup *s, size_t active) {
    (void)s;
    return (double)active;
}

extern const struct problem problem_linear;
const struct problem problem_linear = {
    .name = "linear",
    .meaning = "y = w.x with w ~ N(0, I).",
    .loss = PROBLEM_SQUARED,
    .parameters = linear_functions_parameters,
    .draw = linear_functions_draw,
    .evaluate = linear_functions_evaluate,
    .variance = linear_functions_variance,
};
