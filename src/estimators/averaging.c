/* w = mean of x_i y_i: one step of gradient descent from 0. */
#include "estimators/estimator.h"

#include <string.h>

static size_t state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    (void)s, (void)points;
    return dims * sizeof(double);
}

static double flops(const struct estimator_setup *s, size_t k, size_t dims) {
    (void)s, (void)k;
    return 4 * (double)dims;
}

static enum err_code predict(double *y, const struct estimator_setup *s,
                             const struct estimator_prompt *p, size_t k, void *state,
                             struct err *err) {
    double *sum = state;
    const float *x = p->x + (k - 1) * p->dims, *query = p->query + k * p->dims;
    (void)s, (void)err;
    if (k == 1) memset(sum, 0, p->dims * sizeof *sum);
    *y = 0;
    for (size_t c = 0; c < p->dims; c++) {
        sum[c] += (double)x[c] * (double)p->y[k - 1];
        *y += sum[c] * (double)query[c];
    }
    *y /= (double)k;
    return ERR_OK;
}

extern const struct estimator estimator_averaging;
const struct estimator estimator_averaging = {
    .name = "averaging",
    .meaning = "Predicts w.x with w the mean of x_i y_i.",
    .paper = "Garg et al. 2022",
    .state = state_bytes,
    .flops = flops,
    .carries = true,
    .predict = predict,
};
