#include "optim/adam.h"

#include <math.h>

void adam_step(float *restrict w, float *restrict m, float *restrict v, const float *restrict g,
               size_t n, const struct adam *a, float lr, int64_t step) {
    const double b1 = (double)a->beta1, b2 = (double)a->beta2;
    const float keep1 = a->beta1, take1 = (float)(1 - b1);
    const float keep2 = a->beta2, take2 = (float)(1 - b2);
    const float size = (float)((double)lr / (1 - pow(b1, (double)step)));
    const float root = (float)sqrt(1 - pow(b2, (double)step));
    const float epsilon = a->epsilon;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        m[i] = keep1 * m[i] + take1 * g[i];
        v[i] = keep2 * v[i] + take2 * g[i] * g[i];
        w[i] -= size * m[i] / (sqrtf(v[i]) / root + epsilon);
    }
}

void adam_shrink(float *restrict w, const float *restrict v, size_t n, const struct adam *a,
                 float lr, int64_t step, float l1) {
    const float root = (float)sqrt(1 - pow((double)a->beta2, (double)step));
    for (size_t i = 0; i < n; i++) {
        const float by = lr * l1 / (sqrtf(v[i]) / root + a->epsilon);
        w[i] = w[i] > by ? w[i] - by : w[i] < -by ? w[i] + by : 0;
    }
}
