#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/vector_ops.h"
#include "twins/ops_twin.h"

static void add_axpy_scale_dot(void **state) {
    (void)state;
    for (size_t n = 0; n < 40; n += 13) {
        struct pair x = pair_normals(n, 1, 1.0), y = pair_normals(n, 2, 1.0);
        vector_add(y.f, x.f, n);
        vector_axpy(y.f, -3.0f, x.f, n);
        vector_scale(y.f, 0.5f, n);
        for (size_t i = 0; i < n; i++) y.d[i] = 0.5 * (y.d[i] + x.d[i] - 3.0 * x.d[i]);
        assert_true(twin_error(y.f, y.d, n) < 1e-6);
        const double want = twin_dot(x.d, x.d, n);
        assert_true(vector_dot(x.f, x.f, n) == want);
        assert_true(vector_norm(x.f, n) == sqrt(want));
        pair_free(&x), pair_free(&y);
    }
}

static void gather_takes_rows_by_index(void **state) {
    (void)state;
    const float x[6] = {0, 1, 10, 11, 20, 21};
    const uint32_t index[4] = {2, 0, 2, 1};
    float out[8];
    const float want[8] = {20, 21, 0, 1, 20, 21, 10, 11};
    rows_gather(out, x, index, 4, 2);
    assert_memory_equal(out, want, sizeof want);
}

static void sums_of_columns(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{0, 5}, {1, 1}, {33, 64}, {100, 130}, {64, 63}};
    for (size_t i = 0; i < 5; i++) {
        const size_t R = sizes[i][0], E = sizes[i][1];
        struct pair x = pair_normals(R * E, 1, 1.0), s = pair_normals(E, 2, 1.0);
        rows_sum(s.f, x.f, R, E);
        for (size_t r = 0; r < R; r++)
            for (size_t e = 0; e < E; e++) s.d[e] += x.d[r * E + e];
        assert_true(twin_error(s.f, s.d, E) < 5e-6);
        pair_free(&x), pair_free(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(add_axpy_scale_dot),
                                       cmocka_unit_test(gather_takes_rows_by_index),
                                       cmocka_unit_test(sums_of_columns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
