/* y = sum_i w_i x_i^2 / sqrt(3) with w ~ N(0, I); E[y^2] = dims. An option of the code of Garg et
 * al., NeurIPS 2022. */
#include "sources/problems/linear_functions.h"

#include <math.h>

static void quadratic_evaluate(float *y, const float *w, const struct problem_setup *s,
                               const float *x, size_t points) {
    for (size_t i = 0; i < points; i++, x += s->dims) {
        double sum = 0;
        for (size_t c = 0; c < s->dims; c++) sum += (double)w[c] * ((double)x[c] * (double)x[c]);
        y[i] = (float)(sum / sqrt(3));
    }
}

extern const struct problem problem_quadratic;
const struct problem problem_quadratic = {
    .name = "quadratic",
    .meaning = "y = sum_i w_i x_i^2 / sqrt(3) with w ~ N(0, I).",
    .loss = PROBLEM_SQUARED,
    .parameters = linear_functions_parameters,
    .draw = linear_functions_draw,
    .evaluate = quadratic_evaluate,
    .variance = linear_functions_variance, /* E[x_i^4] = 3 */
};
