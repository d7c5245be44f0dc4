/*
 * lapack.h - systems, eigenvalues and singular values of small dense matrices, in double.
 *
 * Matrices are row-major and without gaps. What is said to be overwritten holds nothing of use
 * afterwards. All fail with ERR_NUMERIC, naming the operation, where a number is not finite or an
 * iteration does not converge, and with ERR_MEMORY; outputs are then undefined. Each size is below
 * 2^31; sizes of 0 are our bug. blas_init() holds for these too: one thread.
 */
#ifndef OPS_LAPACK_H
#define OPS_LAPACK_H

#include <stddef.h>

#include "base/err.h"

/*
 * X [N,R] of least norm among those of least |A X - B|: complete orthogonal factorisation (gelsy).
 * A [M,N] is overwritten. B [max(M,N),R] holds M rows on entry, X in its first N on return.
 * Directions whose condition is beyond 1 / rcond count as absent; *rank says how many are left.
 */
enum err_code lapack_least_squares(double *A, double *B, size_t *rank, size_t M, size_t N, size_t R,
                                   double rcond, struct err *err);

/* X [N,R] over B [N,R]: A X = B, A [N,N] symmetric and overwritten; only its upper triangle is
 * read. ERR_NUMERIC where A is not positive definite. */
enum err_code lapack_cholesky_solve(double *A, double *B, size_t N, size_t R, struct err *err);

/* A [N,N] symmetric: values [N] in ascending order; row i of A becomes the unit eigenvector of
 * values[i]. Its sign is as it comes: the same for the same bits on one BLAS core. */
enum err_code lapack_eigen(double *values, double *A, size_t N, struct err *err);

/* A [M,N] = U diag(s) Vt, thin: K = min(M,N), U [M,K], s [K] descending, Vt [K,N]; A is
 * overwritten. Signs as in lapack_eigen. */
enum err_code lapack_svd(double *U, double *s, double *Vt, double *A, size_t M, size_t N,
                         struct err *err);

#endif
