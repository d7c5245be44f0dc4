/* y = sign(w.x) with w ~ N(0, I), and 0 where w.x = 0; E[y^2] = 1. Loss: binary cross entropy of
 * sigmoid(prediction). An option of the code of Garg et al., NeurIPS 2022. */
#include "sources/problems/linear_functions.h"

static void classification_evaluate(float *y, const float *w, const struct problem_setup *s,
                                    const float *x, size_t points) {
    linear_functions_evaluate(y, w, s, x, points);
    for (size_t i = 0; i < points; i++) y[i] = (float)((y[i] > 0) - (y[i] < 0));
}

static double classification_variance(const struct problem_setup *s, size_t active) {
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
    .evaluate = classification_evaluate,
    .variance = classification_variance,
};
