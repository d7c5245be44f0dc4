#include "ops/attention.h"

#include <math.h>

#include "ops/blas.h"
#include "ops/softmax.h"

void attention_forward(float *restrict z, float *restrict att, const float *restrict qkv, size_t B,
                       size_t T, size_t H, size_t D) {
    const size_t E = H * D;
    const float scale = 1.0f / sqrtf((float)D);
    for (size_t bh = 0; bh < B * H; bh++) {
        const float *q = qkv + bh / H * T * 3 * E + bh % H * D, *k = q + E, *v = k + E;
        float *p = att + bh * T * T;
        blas_gemm(p, q, k, BLAS_N, BLAS_T, scale, 0.0f, T, T, D, 3 * E, 3 * E, T);
        for (size_t i = 0; i < T; i++) softmax_row(p + i * T, i + 1, T);
        blas_gemm(z + bh / H * T * E + bh % H * D, p, v, BLAS_N, BLAS_N, 1.0f, 0.0f, T, D, T, T,
                  3 * E, E);
    }
}

/* One head of one prompt; rows of qkv and dqkv are 3E apart, those of dz E. */
static void head_backward(float *restrict dq, float *restrict ds, const float *restrict dz,
                          const float *restrict p, const float *restrict q, size_t T, size_t E,
                          size_t D) {
    const float *k = q + E, *v = k + E;
    float *dk = dq + E, *dv = dk + E;
    const float scale = 1.0f / sqrtf((float)D);
    blas_gemm(dv, p, dz, BLAS_T, BLAS_N, 1.0f, 0.0f, T, D, T, T, E, 3 * E);
    blas_gemm(ds, dz, v, BLAS_N, BLAS_T, 1.0f, 0.0f, T, T, D, E, 3 * E, T);
    for (size_t i = 0; i < T; i++) softmax_row_backward(ds + i * T, p + i * T, scale, i + 1, T);
    blas_gemm(dq, ds, k, BLAS_N, BLAS_N, 1.0f, 0.0f, T, D, T, T, 3 * E, 3 * E);
    blas_gemm(dk, ds, q, BLAS_T, BLAS_N, 1.0f, 0.0f, T, D, T, T, 3 * E, 3 * E);
}

void attention_backward(float *restrict dqkv, float *restrict scratch, const float *restrict dz,
                        const float *restrict att, const float *restrict qkv, size_t B, size_t T,
                        size_t H, size_t D) {
    const size_t E = H * D;
    for (size_t bh = 0; bh < B * H; bh++) {
        const size_t at = bh / H * T * 3 * E + bh % H * D;
        head_backward(dqkv + at, scratch, dz + bh / H * T * E + bh % H * D, att + bh * T * T,
                      qkv + at, T, E, D);
    }
}
