#include "ops/softmax.h"

#include "ops/vmath.h"

/* Eight running maxima, so that the loop needs no order and every compiler vectorises it. */
static float row_max(const float *x, size_t n) {
    enum { LANES = 8 };
    float m[LANES];
    size_t i = 0;
    for (size_t l = 0; l < LANES; l++) m[l] = x[0];
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) m[l] = x[i + l] > m[l] ? x[i + l] : m[l];
    for (; i < n; i++) m[0] = x[i] > m[0] ? x[i] : m[0];
    for (size_t l = 1; l < LANES; l++) m[0] = m[l] > m[0] ? m[l] : m[0];
    return m[0];
}

void softmax_row(float *x, size_t n) {
    const float max = row_max(x, n);
    for (size_t i = 0; i < n; i++) x[i] -= max;
    vmath_exp(x, x, n);
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += x[i];
    const float inverse = 1.0f / sum;
    for (size_t i = 0; i < n; i++) x[i] *= inverse;
}

void softmax_row_backward(float *restrict dp, const float *restrict p, float scale, size_t n) {
    float dot = 0.0f;
#pragma omp simd reduction(+ : dot)
    for (size_t i = 0; i < n; i++) dot += dp[i] * p[i];
    for (size_t i = 0; i < n; i++) dp[i] = scale * p[i] * (dp[i] - dot);
}
