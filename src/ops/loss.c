#include "ops/loss.h"

#include <math.h>

double loss_mse(float *restrict dpred, const float *restrict pred, const float *restrict target,
                double weight, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double e = (double)pred[i] - (double)target[i];
        sum += e * e;
        if (dpred) dpred[i] += (float)(weight * 2.0 * e);
    }
    return weight * sum;
}

double loss_huber(float *restrict dpred, const float *restrict pred, const float *restrict target,
                  double delta, double weight, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double e = (double)pred[i] - (double)target[i], a = fabs(e);
        const int inside = a <= delta;
        sum += inside ? 0.5 * e * e : delta * (a - 0.5 * delta);
        if (dpred) dpred[i] += (float)(weight * (inside ? e : copysign(delta, e)));
    }
    return weight * sum;
}

double loss_logistic(float *restrict dpred, const float *restrict pred,
                     const float *restrict target, double weight, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double margin = (double)target[i] * (double)pred[i], e = exp(-fabs(margin));
        sum += log1p(e) + (margin < 0.0 ? -margin : 0.0);
        const double wrong = (margin < 0.0 ? 1.0 : e) / (1.0 + e); /* 1 / (1 + exp(margin)) */
        if (dpred) dpred[i] -= (float)(weight * (double)target[i] * wrong);
    }
    return weight * sum;
}
