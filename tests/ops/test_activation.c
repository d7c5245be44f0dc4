#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/activation.h"
#include "ops/vmath.h"
#include "twins/ops_twin.h"

enum { N = 700 }; /* two blocks and a ragged tail */

static void gelu_values(void **state) {
    (void)state;
    struct pair x = pair_normals(N, 1, 3.0), y = pair_filled(N, nan(""));
    gelu_forward(y.f, x.f, N);
    twin_gelu(y.d, x.d, N);
    assert_true(twin_error(y.f, y.d, N) < 1e-6);
    pair_free(&x), pair_free(&y);
}

static double gelu_sum(void *context) {
    double y;
    twin_gelu(&y, context, 1);
    return y;
}

static void gelu_gradients(void **state) {
    (void)state;
    struct pair x = pair_normals(N, 1, 3.0), dy = pair_normals(N, 2, 1.0);
    struct pair dx = pair_normals(N, 3, 1.0);
    gelu_backward(dx.f, dy.f, x.f, N);
    for (size_t i = 0; i < N; i++) dx.d[i] += dy.d[i] * twin_slope(gelu_sum, &x.d[i], &x.d[i]);
    assert_true(twin_error(dx.f, dx.d, N) < 2e-6);
    pair_free(&x), pair_free(&dy), pair_free(&dx);
}

static void gelu_extremes(void **state) {
    (void)state;
    const float x[] = {-1e6f, -30.0f, -10.0f, -1e-20f, 0.0f, 1e-20f, 10.0f, 30.0f, 1e6f};
    const float one[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    const double y_want[] = {0, 0, 0, 0, 0, 0, 10.0, 30.0, 1e6};
    const double slope[] = {0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1};
    float y[9], dx[9] = {0};
    gelu_forward(y, x, 9);
    gelu_backward(dx, one, x, 9);
    assert_true(twin_error(y, y_want, 9) < 1e-6);
    assert_true(twin_error(dx, slope, 9) < 1e-6);
    assert_true(y[3] == -0.5e-20f && y[5] == 0.5e-20f);
}

static void nan_stays_nan(void **state) {
    (void)state;
    float x = NAN, y = 0.0f, e = 0.0f;
    gelu_forward(&y, &x, 1);
    vmath_exp(&e, &x, 1);
    assert_true(isnan(y) && isnan(e));
}

/* Any length and any place give an element the same bits. */
static void place_does_not_matter(void **state) {
    (void)state;
    struct pair x = pair_normals(N, 4, 2.0), y = pair_filled(N, nan("")), dx = pair_filled(N, 0.0);
    struct pair e = pair_filled(N, nan(""));
    gelu_forward(y.f, x.f, N);
    gelu_backward(dx.f, x.f, x.f, N);
    vmath_exp(e.f, x.f, N);
    for (size_t first = 0; first < 40; first++)
        for (size_t n = 1; n < 300; n += first % 2 ? 7 : 41) {
            float a[300], b[300] = {0}, c[300];
            gelu_forward(a, x.f + first, n);
            gelu_backward(b, x.f + first, x.f + first, n);
            vmath_exp(c, x.f + first, n);
            assert_memory_equal(a, y.f + first, n * sizeof(float));
            assert_memory_equal(b, dx.f + first, n * sizeof(float));
            assert_memory_equal(c, e.f + first, n * sizeof(float));
        }
    pair_free(&x), pair_free(&y), pair_free(&dx), pair_free(&e);
}

static void exp_values(void **state) {
    (void)state;
    for (size_t n = 0; n < 20; n++) {
        float x[20] = {0}, e[21];
        e[n] = 7.0f;
        for (size_t i = 0; i < n; i++) x[i] = (float)i * 9.0f - 87.0f;
        vmath_exp(e, x, n);
        for (size_t i = 0; i < n; i++)
            assert_true(fabs((double)e[i] / exp((double)x[i]) - 1.0) < 1.3e-7);
        assert_true(e[n] == 7.0f);
    }
    float x[3] = {-2e4f, -INFINITY, 0.0f};
    vmath_exp(x, x, 3);
    assert_true(x[0] == 0.0f && x[1] == 0.0f && x[2] == 1.0f);
    assert_true(strlen(vmath_name()) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gelu_values),   cmocka_unit_test(gelu_gradients),
        cmocka_unit_test(gelu_extremes), cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(exp_values),    cmocka_unit_test(place_does_not_matter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
