#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/gram_schmidt.h"
#include "twins/ops_twin.h"

enum { ROWS = 5, N = 7 };

static void near(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.17g, not %.17g", got, want);
}

/* Orthonormal rows made by the function under test from rows of normal draws. */
static void make_rows(double q[ROWS * N]) {
    struct pair x = pair_normals(ROWS * N, 3, 1.0);
    memcpy(q, x.d, ROWS * N * sizeof *q);
    pair_free(&x);
    for (size_t r = 0; r < ROWS; r++) {
        const double norm = gram_schmidt_rest(q + r * N, NULL, q, r, N);
        for (size_t c = 0; c < N; c++) q[r * N + c] /= norm;
    }
}

static void the_rows_are_orthonormal(void **state) {
    (void)state;
    double q[ROWS * N];
    make_rows(q);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t s = 0; s < ROWS; s++) near(twin_dot(q + r * N, q + s * N, N), r == s, 1e-15);
}

/* row = sum of share q + rest; the rest is orthogonal to every q and has the returned norm. */
static void a_row_is_decomposed(void **state) {
    (void)state;
    double q[ROWS * N], row[N], rest[N], share[ROWS] = {10, 0, 0, 0, 0};
    struct pair x = pair_normals(N, 4, 1.0);
    make_rows(q);
    memcpy(row, x.d, sizeof row);
    memcpy(rest, row, sizeof rest);
    pair_free(&x);
    const double norm = gram_schmidt_rest(rest, share, q, ROWS, N);
    near(norm, sqrt(twin_dot(rest, rest, N)), 1e-15);
    share[0] -= 10; /* it was added to */
    for (size_t r = 0; r < ROWS; r++) near(twin_dot(rest, q + r * N, N), 0, 1e-15);
    for (size_t c = 0; c < N; c++) {
        double sum = rest[c];
        for (size_t r = 0; r < ROWS; r++) sum += share[r] * q[r * N + c];
        near(sum, row[c], 1e-14);
    }
}

/* A row that depends on the others up to 1e-9: one projection would leave 1e-16 / 1e-9 of them in
 * the rest. */
static void a_nearly_dependent_row_becomes_orthogonal(void **state) {
    (void)state;
    double q[ROWS * N], row[N];
    struct pair x = pair_normals(N, 5, 1.0);
    make_rows(q);
    for (size_t c = 0; c < N; c++) row[c] = q[c] + q[N + c] - 2 * q[2 * N + c] + 1e-9 * x.d[c];
    pair_free(&x);
    const double norm = gram_schmidt_rest(row, NULL, q, ROWS, N);
    assert_true(norm > 1e-10 && norm < 1e-8);
    for (size_t r = 0; r < ROWS; r++) near(twin_dot(row, q + r * N, N) / norm, 0, 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rows_are_orthonormal),
        cmocka_unit_test(a_row_is_decomposed),
        cmocka_unit_test(a_nearly_dependent_row_becomes_orthogonal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
