#include "ops/rmsnorm.h"

#include <math.h>

static float sum_of_squares(const float *x, size_t E) {
    float s = 0.0f;
#pragma omp simd reduction(+ : s)
    for (size_t e = 0; e < E; e++) s += x[e] * x[e];
    return s;
}

void rmsnorm_forward(float *y, float *restrict rstd, const float *x, const float *restrict gain,
                     float eps, size_t R, size_t E) {
    for (size_t r = 0; r < R; r++, x += E, y += E) {
        const float s = 1.0f / sqrtf(sum_of_squares(x, E) / (float)E + eps);
#pragma omp simd
        for (size_t e = 0; e < E; e++) y[e] = gain[e] * (x[e] * s);
        rstd[r] = s;
    }
}

/* With norm = x rstd and g = gain dy: dx = rstd (g - norm mean(g norm)). */
void rmsnorm_backward(float *restrict dx, float *restrict dgain, const float *restrict dy,
                      const float *restrict x, const float *restrict rstd,
                      const float *restrict gain, size_t R, size_t E) {
    for (size_t r = 0; r < R; r++, dx += E, dy += E, x += E) {
        const float s = rstd[r];
        float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (size_t e = 0; e < E; e++) sum += gain[e] * dy[e] * (x[e] * s);
        const float mean = sum / (float)E;
        for (size_t e = 0; e < E; e++) dx[e] += s * (gain[e] * dy[e] - x[e] * s * mean);
        for (size_t e = 0; dgain && e < E; e++) dgain[e] += dy[e] * (x[e] * s);
    }
}
