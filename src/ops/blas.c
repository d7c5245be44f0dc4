#include "ops/blas.h"

#include <assert.h>
#include <limits.h>

#include <cblas.h>

void blas_init(void) { openblas_set_num_threads(1); }

const char *blas_core(void) { return openblas_get_corename(); }

const char *blas_config(void) { return openblas_get_config(); }

static int blas_size(size_t n) {
    assert(n <= INT_MAX);
    return (int)n;
}

void blas_gemm(float *restrict C, const float *restrict A, const float *restrict B,
               enum blas_op op_a, enum blas_op op_b, float alpha, float beta, size_t M, size_t N,
               size_t K, size_t lda, size_t ldb, size_t ldc) {
    if (M == 0 || N == 0) return;
    cblas_sgemm(CblasRowMajor, op_a == BLAS_T ? CblasTrans : CblasNoTrans,
                op_b == BLAS_T ? CblasTrans : CblasNoTrans, blas_size(M), blas_size(N),
                blas_size(K), alpha, A, blas_size(lda), B, blas_size(ldb), beta, C, blas_size(ldc));
}
