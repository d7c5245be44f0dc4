#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/activation.h"
#include "twins/ops_twin.h"

enum { N = 700 }; /* and a ragged tail */

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
    struct pair x = pair_normals(N, 1, 3.0), d = pair_normals(N, 2, 1.0);
    gelu_backward(d.f, x.f, N);
    for (size_t i = 0; i < N; i++) d.d[i] *= twin_slope(gelu_sum, &x.d[i], &x.d[i]);
    assert_true(twin_error(d.f, d.d, N) < 2e-6);
    pair_free(&x), pair_free(&d);
}

static void gelu_extremes(void **state) {
    (void)state;
    const float x[] = {-1e6f, -30.0f, -10.0f, -1e-20f, 0.0f, 1e-20f, 10.0f, 30.0f, 1e6f};
    const double y_want[] = {0, 0, 0, 0, 0, 0, 10.0, 30.0, 1e6};
    const double slope[] = {0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1};
    float y[9], d[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    gelu_forward(y, x, 9);
    gelu_backward(d, x, 9);
    assert_true(twin_error(y, y_want, 9) < 1e-6);
    assert_true(twin_error(d, slope, 9) < 1e-6);
    assert_true(y[3] == -0.5e-20f && y[5] == 0.5e-20f);
}

static void nan_stays_nan(void **state) {
    (void)state;
    float x = NAN, y = 0.0f, d = 1.0f;
    gelu_forward(&y, &x, 1);
    gelu_backward(&d, &x, 1);
    assert_true(isnan(y) && isnan(d));
}

/* Any length and any place give an element the same bits. */
static void place_does_not_matter(void **state) {
    (void)state;
    struct pair x = pair_normals(N, 4, 2.0), y = pair_filled(N, nan("")), d = pair_filled(N, 1.0);
    gelu_forward(y.f, x.f, N);
    gelu_backward(d.f, x.f, N);
    for (size_t first = 0; first < 40; first++)
        for (size_t n = 1; n < 100; n += first % 8 ? 7 : 1) {
            float a[101], b[101];
            for (size_t i = 0; i < n; i++) b[i] = 1.0f;
            a[n] = b[n] = 5.0f;
            gelu_forward(a, x.f + first, n);
            gelu_backward(b, x.f + first, n);
            assert_memory_equal(a, y.f + first, n * sizeof(float));
            assert_memory_equal(b, d.f + first, n * sizeof(float));
            assert_true(a[n] == 5.0f && b[n] == 5.0f);
        }
    pair_free(&x), pair_free(&y), pair_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gelu_values), cmocka_unit_test(gelu_gradients),
        cmocka_unit_test(gelu_extremes), cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(place_does_not_matter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
