#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/blas.h"
#include "twins/ops_twin.h"

static void the_library_reports_its_name(void **state) {
    (void)state;
    assert_true(strlen(blas_core()) > 0);
    assert_non_null(strstr(blas_config(), "OpenBLAS"));
}

static void twin_gemm(double *C, const double *A, const double *B, int ta, int tb, double alpha,
                      double beta, size_t M, size_t N, size_t K, size_t lda, size_t ldb,
                      size_t ldc) {
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double s = 0.0;
            for (size_t k = 0; k < K; k++)
                s +=
                    (ta ? A[k * lda + m] : A[m * lda + k]) * (tb ? B[n * ldb + k] : B[k * ldb + n]);
            C[m * ldc + n] = alpha * s + (beta == 0.0 ? 0.0 : beta * C[m * ldc + n]);
        }
}

static void gemm_equals_sums(void **state) {
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1}, {1, 64, 64}, {7, 5, 3}, {33, 17, 65}, {64, 2, 31}};
    for (size_t i = 0; i < 5; i++)
        for (unsigned form = 0; form < 8; form++) {
            const size_t M = sizes[i][0], N = sizes[i][1], K = sizes[i][2];
            const int ta = form & 1, tb = form >> 1 & 1;
            const float beta = form >> 2 & 1 ? 0.5f : 0.0f;
            const size_t lda = (ta ? M : K) + 3, ldb = (tb ? K : N) + 1, ldc = N + 2;
            struct pair A = pair_normals((M + K) * lda, 1, 1.0),
                        B = pair_normals((N + K) * ldb, 2, 1.0);
            struct pair C = pair_normals(M * ldc, 3, 1.0);
            blas_gemm(C.f, A.f, B.f, ta ? BLAS_T : BLAS_N, tb ? BLAS_T : BLAS_N, 0.75f, beta, M, N,
                      K, lda, ldb, ldc);
            twin_gemm(C.d, A.d, B.d, ta, tb, 0.75, (double)beta, M, N, K, lda, ldb, ldc);
            assert_true(twin_error(C.f, C.d, C.n) < 2e-5);
            pair_free(&A), pair_free(&B), pair_free(&C);
        }
}

static void beta_zero_overwrites_nan(void **state) {
    (void)state;
    const float a[2] = {1.0f, 2.0f}, b[2] = {3.0f, 4.0f};
    float c = NAN;
    blas_gemm(&c, a, b, BLAS_N, BLAS_N, 1.0f, 0.0f, 1, 1, 2, 2, 1, 1);
    assert_true(c == 11.0f);
}

static void empty_sizes_are_allowed(void **state) {
    (void)state;
    const float a[1] = {1.0f};
    float c = 5.0f;
    blas_gemm(&c, a, a, BLAS_N, BLAS_N, 1.0f, 0.0f, 0, 1, 1, 1, 1, 1);
    assert_true(c == 5.0f);
    blas_gemm(&c, a, a, BLAS_N, BLAS_N, 1.0f, 1.0f, 1, 1, 0, 1, 1, 1);
    assert_true(c == 5.0f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_its_name), cmocka_unit_test(gemm_equals_sums),
        cmocka_unit_test(beta_zero_overwrites_nan), cmocka_unit_test(empty_sizes_are_allowed)};
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
