/*
 * blas.h - matrix products: the single-precision GEMM of OpenBLAS, row-major.
 *
 * Call blas_init() once in every process, before its first product.  It fixes one thread, since the
 * number of threads changes bits on some kernels, and it makes small products fast (in about 30
 * ms).  Vectors go through GEMM too (M = 1), never through GEMV, so that a product has one order of
 * summation.  The bits of a row may depend on M, N and K; batch shapes therefore come from the
 * config, never from the machine.
 */
#ifndef OPS_BLAS_H
#define OPS_BLAS_H

#include <stdbool.h>
#include <stddef.h>

struct onednn;

enum blas_op { BLAS_N, BLAS_T }; /* as stored, transposed */

void blas_init(void);
const char *blas_core(void); /* kernel family that OpenBLAS chose: "Zen", "Haswell", "SkylakeX" */
int blas_threads(void);
const char *blas_config(void); /* version and build options, one line */

/* C[M,N] = alpha op(A) op(B) + beta C, with op(A) [M,K] and op(B) [K,N].
 * lda, ldb, ldc: floats between rows as stored, so A is [K,M] in memory when op_a is BLAS_T.
 * beta = 0 overwrites C, whatever it held. Sizes of 0 are allowed; each is below 2^31. */
void blas_gemm(float *restrict C, const float *restrict A, const float *restrict B,
               enum blas_op op_a, enum blas_op op_b, float alpha, float beta, size_t M, size_t N,
               size_t K, size_t lda, size_t ldb, size_t ldc);

/* Does a product [n rows, K] x [K, N] have the bits of n products [rows, K] x [K, N]? Determined by
 * computing both with the kernel in use (milliseconds at standard sizes), of `library` unless it is
 * NULL; false also when there is no memory. */
bool blas_rows_agree(const struct onednn *library, size_t n, size_t rows, size_t K, size_t N);

/* Do the bits of a row of [M, K] x op_b [K, N] depend on its place modulo `period` alone, as in a
 * product of 48 rows? Determined by products of equal rows; false also when there is no memory, of
 * which it takes blas_rows_repeat_bytes() meanwhile. */
bool blas_rows_repeat(const struct onednn *library, size_t M, size_t period, size_t K, size_t N,
                      enum blas_op op_b);
size_t blas_rows_repeat_bytes(size_t M, size_t K, size_t N);

#endif
