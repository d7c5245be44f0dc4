#include "ops/blas.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "ops/onednn.h"

/* The AVX2 kernels of OpenBLAS 0.3.21 prefetch from parts of its work buffer that small products
 * never write. As long as those pages have not been touched, every such prefetch is a failed page
 * walk: 64 x 256 x 2048 runs at 11 Gflop/s instead of 34 (Zen, virtual machine). One product that
 * fills the buffer ends it; without memory for that, products are only slow. */
static void touch_work_buffer(void) {
    enum { SIDE = 1024, DEPTH = 384 }; /* over one block of the kernels in both directions */
    float *x = calloc(SIDE * DEPTH, sizeof *x), *y = malloc(SIDE * SIDE * sizeof *y);
    if (x && y) blas_gemm(y, x, x, BLAS_T, BLAS_N, 1.0f, 0.0f, SIDE, SIDE, DEPTH, SIDE, SIDE, SIDE);
    free(y);
    free(x);
}

void blas_init(void) {
    openblas_set_num_threads(1);
    touch_work_buffer();
}

const char *blas_core(void) { return openblas_get_corename(); }

int blas_threads(void) { return openblas_get_num_threads(); }

const char *blas_config(void) { return openblas_get_config(); }

static int blas_size(size_t n) {
    assert(n <= INT_MAX);
    return (int)n;
}

/* beta = 0 of OpenBLAS clears C too, but measurably slower for small products. */
static void clear_matrix(float *C, size_t M, size_t N, size_t ldc) {
    if (N == ldc)
        memset(C, 0, M * N * sizeof *C);
    else
        for (size_t m = 0; m < M; m++) memset(C + m * ldc, 0, N * sizeof *C);
}

void blas_gemm(float *restrict C, const float *restrict A, const float *restrict B,
               enum blas_op op_a, enum blas_op op_b, float alpha, float beta, size_t M, size_t N,
               size_t K, size_t lda, size_t ldb, size_t ldc) {
    if (M == 0 || N == 0) return;
    if (beta == 0.0f) clear_matrix(C, M, N, ldc);
    cblas_sgemm(CblasRowMajor, op_a == BLAS_T ? CblasTrans : CblasNoTrans,
                op_b == BLAS_T ? CblasTrans : CblasNoTrans, blas_size(M), blas_size(N),
                blas_size(K), alpha, A, blas_size(lda), B, blas_size(ldb),
                beta == 0.0f ? 1.0f : beta, C, blas_size(ldc));
}

static void fill_with_noise(float *x, size_t n) {
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525U + 1013904223U;       /* Numerical Recipes, section 7.1 */
        x[i] = (float)(state >> 8) * 0x1p-23F - 1.0F; /* in [-1, 1) */
    }
}

/* C [M,N] = A op(B) by the library, or by OpenBLAS. */
static void probe(const struct onednn *library, float *C, const float *A, const float *B,
                  enum blas_op op_b, size_t M, size_t N, size_t K) {
    const size_t ldb = op_b == BLAS_N ? N : K;
    if (library)
        onednn_gemm(library, C, A, B, BLAS_N, op_b, 0.0f, M, N, K, K, ldb, N);
    else
        blas_gemm(C, A, B, BLAS_N, op_b, 1.0f, 0.0f, M, N, K, K, ldb, N);
}

bool blas_rows_agree(const struct onednn *library, size_t n, size_t rows, size_t K, size_t N) {
    const size_t M = n * rows;
    float *A = malloc((M * K + K * N + 2 * M * N + 1) * sizeof *A);
    if (!A) return false;
    float *B = A + M * K, *together = B + K * N, *alone = together + M * N;
    fill_with_noise(A, M * K + K * N);
    probe(library, together, A, B, BLAS_N, M, N, K);
    for (size_t i = 0; i < n; i++)
        probe(library, alone + i * rows * N, A + i * rows * K, B, BLAS_N, rows, N, K);
    const bool same = memcmp(together, alone, M * N * sizeof *alone) == 0;
    free(A);
    return same;
}

enum { REFERENCE = 48 }; /* rows */

size_t blas_rows_repeat_bytes(size_t M, size_t K, size_t N) {
    const size_t most = M > REFERENCE ? M : REFERENCE;
    return (most * K + K * N + (REFERENCE + M) * N + 1) * sizeof(float);
}

bool blas_rows_repeat(const struct onednn *library, size_t M, size_t period, size_t K, size_t N,
                      enum blas_op op_b) {
    const size_t most = M > REFERENCE ? M : REFERENCE;
    float *A = malloc(blas_rows_repeat_bytes(M, K, N));
    if (!A) return false;
    float *B = A + most * K, *reference = B + K * N, *C = reference + REFERENCE * N;
    fill_with_noise(A, K);
    fill_with_noise(B, K * N);
    for (size_t m = 1; m < most; m++) memcpy(A + m * K, A, K * sizeof *A);
    probe(library, reference, A, B, op_b, REFERENCE, N, K);
    probe(library, C, A, B, op_b, M, N, K);
    bool same = true;
    for (size_t m = 0; same && m < M; m++)
        same = memcmp(C + m * N, reference + m % period * N, N * sizeof *C) == 0;
    free(A);
    return same;
}
