#include "ops/lapack.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include <lapacke.h>

static lapack_int lapack_size(size_t n) {
    assert(n >= 1 && n <= INT_MAX);
    return (lapack_int)n;
}

/* info of LAPACKE: negative for a bad argument, which here can only be a NaN that it checks for, or
 * for lack of memory; positive for what `failure` describes. */
static enum err_code lapack_outcome(lapack_int info, const char *what, size_t M, size_t N,
                                    const char *failure, struct err *err) {
    if (info == 0) return ERR_OK;
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return ERR(err, ERR_MEMORY, "no memory for %s of a matrix of %zu x %zu", what, M, N);
    return ERR(err, ERR_NUMERIC, "%s of a matrix of %zu x %zu: %s", what, M, N,
               info < 0 ? "a number in it is not finite" : failure);
}

enum err_code lapack_least_squares(double *A, double *B, size_t *rank, size_t M, size_t N, size_t R,
                                   double rcond, struct err *err) {
    lapack_int found = 0;
    lapack_int *pivots = calloc(N, sizeof *pivots);
    if (!pivots) return ERR(err, ERR_MEMORY, "no memory for %zu pivots", N);
    const lapack_int info =
        LAPACKE_dgelsy(LAPACK_ROW_MAJOR, lapack_size(M), lapack_size(N), lapack_size(R), A,
                       lapack_size(N), B, lapack_size(R), pivots, rcond, &found);
    free(pivots);
    *rank = (size_t)found;
    return lapack_outcome(info, "least squares", M, N, "no solution", err);
}

enum err_code lapack_cholesky_solve(double *A, double *B, size_t N, size_t R, struct err *err) {
    const lapack_int info = LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', lapack_size(N), lapack_size(R), A,
                                          lapack_size(N), B, lapack_size(R));
    return lapack_outcome(info, "Cholesky's solution", N, N, "it is not positive definite", err);
}

/* Column-major: the symmetric matrix is its own transpose, and eigenvectors come back as rows.
 */
enum err_code lapack_eigen(double *values, double *A, size_t N, struct err *err) {
    const lapack_int info =
        LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', lapack_size(N), A, lapack_size(N), values);
    return lapack_outcome(info, "eigenvalues", N, N, "no convergence", err);
}

/* A in row-major order is A^T in column-major order, and A^T = V diag(s) U^T. So U and V are
 * exchanged and nothing has to be transposed. */
enum err_code lapack_svd(double *U, double *s, double *Vt, double *A, size_t M, size_t N,
                         struct err *err) {
    const size_t K = M < N ? M : N;
    const lapack_int info =
        LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', lapack_size(N), lapack_size(M), A, lapack_size(N), s,
                       Vt, lapack_size(N), U, lapack_size(K));
    return lapack_outcome(info, "singular values", M, N, "no convergence", err);
}
