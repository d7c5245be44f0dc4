/*
 * lapack.h - linear systems, eigenvalues and singular values of small dense matrices, in double.
 *
 * Matrices are row-major without gaps; an input described as overwritten holds nothing of use
 * afterwards.  Every function fails with ERR_NUMERIC, naming the operation, if a number is not
 * finite or an iteration does not converge, and with ERR_MEMORY; outputs are then undefined.  Sizes
 * are at least 1 and below 2^31 (asserted).  Call blas_init() first, which also fixes the one
 * thread of LAPACK.
 */
#ifndef OPS_LAPACK_H
#define OPS_LAPACK_H

#include <stddef.h>

#include "base/err.h"

/*
 * X [N,R] of least norm among those of least |A X - B|: complete orthogonal factorisation (gelsy).
 * A [M,N] is overwritten. B [max(M,N),R] holds M rows on entry, X in its first N on return.
 * Directions whose condition number exceeds 1 / rcond are treated as absent; *rank is the number of
 * the others.
 */
enum err_code lapack_least_squares(double *A, double *B, size_t *rank, size_t M, size_t N, size_t R,
                                   double rcond, struct err *err);

/* X [N,R] over B [N,R]: A X = B, A [N,N] symmetric and overwritten; only its upper triangle is
 * read. ERR_NUMERIC where A is not positive definite. */
enum err_code lapack_cholesky_solve(double *A, double *B, size_t N, size_t R, struct err *err);

/* A [N,N] symmetric: values [N] in ascending order; row i of A becomes the unit eigenvector of
 * values[i]. Its sign is that of LAPACK: equal bits give equal signs on one BLAS core. */
enum err_code lapack_eigen(double *values, double *A, size_t N, struct err *err);

/* A [M,N] = U diag(s) Vt, thin: K = min(M,N), U [M,K], s [K] descending, Vt [K,N]; A is
 * overwritten. Signs as in lapack_eigen. */
enum err_code lapack_svd(double *U, double *s, double *Vt, double *A, size_t M, size_t N,
                         struct err *err);

#endif
