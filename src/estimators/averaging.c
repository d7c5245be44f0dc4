/*
 * Averaging: y = w.x with w = (1/k) sum_i x_i y_i, which is one gradient step from w = 0 on the
 * mean squared error. Garg et al., NeurIPS 2022, section 3 (baselines). Cost: O(dims) per example.
 */
#include "estimators/estimator.h"

#include <string.h>

static size_t averaging_state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    (void)s, (void)points;
    return dims * sizeof(double);
}

static double averaging_flops(const struct estimator_setup *s, size_t k, size_t dims) {
    (void)s, (void)k;
    return 4 * (double)dims;
}

static enum err_code averaging_predict(double *y, const struct estimator_setup *s,
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
    .state = averaging_state_bytes,
    .flops = averaging_flops,
    .carries = true,
    .predict = averaging_predict,
};
