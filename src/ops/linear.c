#include "ops/linear.h"

#include <string.h>

#include "ops/blas.h"
#include "ops/vector_ops.h"

static void product(float *restrict y, const float *restrict x, const float *restrict W, float beta,
                    size_t N, size_t I, size_t O, enum linear_layout layout) {
    if (layout == LINEAR_IN_OUT)
        blas_gemm(y, x, W, BLAS_N, BLAS_N, 1.0f, beta, N, O, I, I, O, O);
    else
        blas_gemm(y, x, W, BLAS_N, BLAS_T, 1.0f, beta, N, O, I, I, I, O);
}

void linear_forward(float *restrict y, const float *restrict x, const float *restrict W,
                    const float *restrict b, size_t N, size_t I, size_t O,
                    enum linear_layout layout) {
    for (size_t n = 0; b && n < N; n++) memcpy(y + n * O, b, O * sizeof *b);
    product(y, x, W, b ? 1.0f : 0.0f, N, I, O, layout);
}

void linear_forward_onto(float *restrict y, const float *restrict base, const float *restrict x,
                         const float *restrict W, const float *restrict b, size_t N, size_t I,
                         size_t O, enum linear_layout layout) {
    for (size_t n = 0; n < N; n++)
        for (size_t o = 0; o < O; o++) y[n * O + o] = base[n * O + o] + b[o];
    product(y, x, W, 1.0f, N, I, O, layout);
}

void linear_backward(float *restrict dx, float *restrict dW, float *restrict db,
                     const float *restrict dy, const float *restrict x, const float *restrict W,
                     size_t N, size_t I, size_t O, enum linear_layout layout) {
    const int in_out = layout == LINEAR_IN_OUT;
    if (dx && in_out) blas_gemm(dx, dy, W, BLAS_N, BLAS_T, 1.0f, 0.0f, N, I, O, O, O, I);
    if (dx && !in_out) blas_gemm(dx, dy, W, BLAS_N, BLAS_N, 1.0f, 0.0f, N, I, O, O, I, I);
    if (dW && in_out) blas_gemm(dW, x, dy, BLAS_T, BLAS_N, 1.0f, 1.0f, I, O, N, I, O, O);
    if (dW && !in_out) blas_gemm(dW, dy, x, BLAS_T, BLAS_N, 1.0f, 1.0f, O, I, N, O, I, I);
    if (db) rows_sum(db, dy, N, O);
}
