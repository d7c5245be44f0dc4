/* y = sign(w.x). */
#include "sources/problems/linear_functions.h"

static void evaluate(float *y, const float *w, const struct problem_setup *s, const float *x,
                     size_t points) {
    linear_functions_evaluate(y, w, s, x, points);
    for (size_t i = 0; i < points; i++) y[i] = (float)((y[i] > 0) - (y[i] < 0));
}

static double variance(const struct problem_setup *s, size_t active) {
    (void)s, (void)active;
    return 1;
}

extern const struct problem problem_linear_classification;
const struct problem problem_linear_classification = {
    .name = "linear_classification",
    .meaning = "y = sign(w.x) with w ~ N(0, I).",
    .loss = PROBLEM_CLASSIFICATION,
    .parameters = linear_functions_parameters,
    .draw = linear_functions_draw,
    .evaluate = evaluate,
    .variance = variance,
};
