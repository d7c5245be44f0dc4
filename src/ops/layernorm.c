#include "ops/layernorm.h"

#include <math.h>

static float row_sum(const float *x, size_t E) {
    float s = 0.0f;
#pragma omp simd reduction(+ : s)
    for (size_t e = 0; e < E; e++) s += x[e];
    return s;
}

static float row_squares(const float *x, float mean, size_t E) {
    float s = 0.0f;
#pragma omp simd reduction(+ : s)
    for (size_t e = 0; e < E; e++) s += (x[e] - mean) * (x[e] - mean);
    return s;
}

void layernorm_forward(float *restrict y, float *restrict mean, float *restrict rstd,
                       const float *restrict x, const float *restrict gain,
                       const float *restrict bias, float eps, size_t R, size_t E) {
    for (size_t r = 0; r < R; r++) {
        const float *xr = x + r * E;
        float *yr = y + r * E;
        const float m = row_sum(xr, E) / (float)E;
        const float s = 1.0f / sqrtf(row_squares(xr, m, E) / (float)E + eps);
        for (size_t e = 0; e < E; e++) yr[e] = gain[e] * ((xr[e] - m) * s) + bias[e];
        mean[r] = m;
        rstd[r] = s;
    }
}

/* With norm = (x - mean) rstd and g = gain dy: dx = rstd (g - mean(g) - norm mean(g norm)). */
static void row_backward(float *restrict dx, const float *restrict dy, const float *restrict x,
                         float mean, float rstd, const float *restrict gain, size_t E) {
    float sum_g = 0.0f, sum_gn = 0.0f;
#pragma omp simd reduction(+ : sum_g, sum_gn)
    for (size_t e = 0; e < E; e++) {
        const float g = gain[e] * dy[e];
        sum_g += g;
        sum_gn += g * ((x[e] - mean) * rstd);
    }
    const float mean_g = sum_g / (float)E, mean_gn = sum_gn / (float)E;
    for (size_t e = 0; e < E; e++)
        dx[e] += rstd * (gain[e] * dy[e] - mean_g - (x[e] - mean) * rstd * mean_gn);
}

void layernorm_backward(float *restrict dx, float *restrict dgain, float *restrict dbias,
                        const float *restrict dy, const float *restrict x,
                        const float *restrict mean, const float *restrict rstd,
                        const float *restrict gain, size_t R, size_t E) {
    for (size_t r = 0; r < R; r++) {
        const float *xr = x + r * E, *dyr = dy + r * E;
        const float m = mean[r], s = rstd[r];
        row_backward(dx + r * E, dyr, xr, m, s, gain, E);
        for (size_t e = 0; dgain && e < E; e++) dgain[e] += dyr[e] * ((xr[e] - m) * s);
        for (size_t e = 0; dbias && e < E; e++) dbias[e] += dyr[e];
    }
}
