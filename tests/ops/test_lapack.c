#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/blas.h"
#include "ops/lapack.h"
#include "twins/error_says.h"
#include "twins/ops_twin.h"

static struct err err;

static void assert_close(double got, double want, double tolerance, const char *what) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: got %.12g, expected %.12g", what, got, want);
}

/* C [M,N] = A [M,K] B [K,N] */
static void multiply(double *C, const double *A, const double *B, size_t M, size_t K, size_t N) {
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            C[m * N + n] = 0;
            for (size_t k = 0; k < K; k++) C[m * N + n] += A[m * K + k] * B[k * N + n];
        }
}

static double *copy_of(const double *x, size_t n) {
    double *y = malloc(n * sizeof *y);
    assert_non_null(y);
    return memcpy(y, x, n * sizeof *y);
}

/* More equations than unknowns: the residual is orthogonal to every column. */
static void the_residual_is_orthogonal(void **state) {
    (void)state;
    enum { M = 9, N = 4, R = 2 };
    struct pair A = pair_normals(M * N, 1, 1), B = pair_normals(M * R, 2, 1);
    double *work = copy_of(A.d, M * N), *X = copy_of(B.d, M * R), fit[M * R];
    size_t rank;
    SUCCEEDS(lapack_least_squares(work, X, &rank, M, N, R, 1e-12, &err));
    assert_int_equal(rank, N);
    multiply(fit, A.d, X, M, N, R);
    for (size_t n = 0; n < N; n++)
        for (size_t r = 0; r < R; r++) {
            double dot = 0;
            for (size_t m = 0; m < M; m++)
                dot += A.d[m * N + n] * (B.d[m * R + r] - fit[m * R + r]);
            assert_close(dot, 0, 1e-12, "residual . column");
        }
    free(work), free(X);
    pair_free(&A), pair_free(&B);
}

/* x1 + x2 = 2 and 2 x3 = 6: the solution of least norm is 1 1 3. */
static void fewer_equations_give_the_least_norm(void **state) {
    (void)state;
    double A[2 * 3] = {1, 1, 0, 0, 0, 2}, B[3] = {2, 6, 0};
    size_t rank;
    SUCCEEDS(lapack_least_squares(A, B, &rank, 2, 3, 1, 1e-12, &err));
    assert_int_equal(rank, 2);
    assert_close(B[0], 1, 1e-14, "x1");
    assert_close(B[1], 1, 1e-14, "x2");
    assert_close(B[2], 3, 1e-14, "x3");
}

/* A second row that differs by 1e-9 counts as a second equation or not, depending on rcond. */
static void rcond_decides_the_rank(void **state) {
    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        double A[2 * 2] = {1, 1, 1, 1 + 1e-9}, B[2] = {2, 2};
        size_t rank;
        SUCCEEDS(lapack_least_squares(A, B, &rank, 2, 2, 1, strict ? 1e-7 : 1e-12, &err));
        assert_int_equal(rank, strict ? 1 : 2);
        assert_close(B[0], strict ? 1 : 2, 1e-5, "x1");
    }
}

static void cholesky_solves(void **state) {
    (void)state;
    enum { N = 5, R = 3 };
    struct pair G = pair_normals(N * N, 3, 1), X = pair_normals(N * R, 4, 1);
    double Gt[N * N], A[N * N], B[N * R];
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) Gt[j * N + i] = G.d[i * N + j];
    multiply(A, Gt, G.d, N, N, N);
    for (size_t i = 0; i < N; i++) A[i * N + i] += 0.5;
    multiply(B, A, X.d, N, N, R);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i; j++) A[i * N + j] = 1e9; /* the lower triangle is not read */
    SUCCEEDS(lapack_cholesky_solve(A, B, N, R, &err));
    for (size_t i = 0; i < N * R; i++) assert_close(B[i], X.d[i], 1e-11, "x");
    pair_free(&G), pair_free(&X);
}

/* [[2,1],[1,2]]: 1 for (1,-1) / sqrt 2 and 3 for (1,1) / sqrt 2. */
static void eigenvectors_are_rows(void **state) {
    (void)state;
    double A[4] = {2, 1, 1, 2}, values[2];
    const double h = sqrt(0.5);
    SUCCEEDS(lapack_eigen(values, A, 2, &err));
    assert_close(values[0], 1, 1e-14, "smaller value");
    assert_close(values[1], 3, 1e-14, "larger value");
    assert_close(A[0] * h - A[1] * h, A[0] > 0 ? 1 : -1, 1e-14, "first vector");
    assert_close(A[2] * h + A[3] * h, A[2] > 0 ? 1 : -1, 1e-14, "second vector");
}

static void eigen_rebuilds_the_matrix(void **state) {
    (void)state;
    enum { N = 7 };
    struct pair G = pair_normals(N * N, 5, 1);
    double A[N * N], V[N * N], values[N];
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) A[i * N + j] = G.d[i * N + j] + G.d[j * N + i];
    memcpy(V, A, sizeof V);
    SUCCEEDS(lapack_eigen(values, V, N, &err));
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double sum = 0;
            for (size_t k = 0; k < N; k++) sum += values[k] * V[k * N + i] * V[k * N + j];
            assert_close(sum, A[i * N + j], 1e-12, "sum of values and vectors");
        }
    for (size_t k = 1; k < N; k++) assert_true(values[k - 1] <= values[k]);
    pair_free(&G);
}

static void check_svd(size_t M, size_t N) {
    const size_t K = M < N ? M : N;
    struct pair A = pair_normals(M * N, 6, 1), U = pair_filled(M * K, 0), s = pair_filled(K, 0);
    struct pair Vt = pair_filled(K * N, 0);
    double *work = copy_of(A.d, M * N);
    SUCCEEDS(lapack_svd(U.d, s.d, Vt.d, work, M, N, &err));
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++) sum += U.d[m * K + k] * s.d[k] * Vt.d[k * N + n];
            assert_close(sum, A.d[m * N + n], 1e-12, "U s Vt");
        }
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < K; j++) {
            double u = 0, v = 0;
            for (size_t m = 0; m < M; m++) u += U.d[m * K + i] * U.d[m * K + j];
            for (size_t n = 0; n < N; n++) v += Vt.d[i * N + n] * Vt.d[j * N + n];
            assert_close(u, i == j, 1e-12, "U^T U");
            assert_close(v, i == j, 1e-12, "V^T V");
        }
    for (size_t k = 1; k < K; k++) assert_true(s.d[k - 1] >= s.d[k]);
    free(work);
    pair_free(&A), pair_free(&U), pair_free(&s), pair_free(&Vt);
}

static void svd_rebuilds_the_matrix(void **state) {
    (void)state;
    check_svd(8, 3);
    check_svd(3, 8);
    check_svd(5, 5);
    check_svd(1, 4);
}

static void failures_name_the_operation(void **state) {
    (void)state;
    double indefinite[4] = {1, 2, 2, 1}, b[2] = {1, 1}, nan[4] = {1, (double)NAN, (double)NAN, 1},
           s[2], u[4], v[4];
    size_t rank;
    ERROR_SAYS(lapack_cholesky_solve(indefinite, b, 2, 1, &err), ERR_NUMERIC,
               "Cholesky's solution of a matrix of 2 x 2: it is not positive definite");
    ERROR_SAYS(lapack_least_squares(nan, b, &rank, 2, 2, 1, 0, &err), ERR_NUMERIC,
               "least squares of a matrix of 2 x 2: a number in it is not finite");
    ERROR_SAYS(lapack_eigen(s, nan, 2, &err), ERR_NUMERIC, "eigenvalues of a matrix of 2 x 2");
    ERROR_SAYS(lapack_svd(u, s, v, nan, 2, 2, &err), ERR_NUMERIC, "singular values");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_residual_is_orthogonal),
        cmocka_unit_test(fewer_equations_give_the_least_norm),
        cmocka_unit_test(rcond_decides_the_rank),
        cmocka_unit_test(cholesky_solves),
        cmocka_unit_test(eigenvectors_are_rows),
        cmocka_unit_test(eigen_rebuilds_the_matrix),
        cmocka_unit_test(svd_rebuilds_the_matrix),
        cmocka_unit_test(failures_name_the_operation),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
