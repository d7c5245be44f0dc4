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

/* The derivative takes the place of x; y is the same bit for bit. */
static void gelu_gradients(void **state) {
    (void)state;
    struct pair x = pair_normals(N, 1, 3.0), d = pair_normals(N, 2, 1.0);
    struct pair alone = pair_filled(N, nan("")), y = pair_filled(N, nan(""));
    gelu_forward(alone.f, x.f, N);
    gelu_forward_derivative(y.f, x.f, N);
    gelu_backward(d.f, x.f, N);
    assert_memory_equal(y.f, alone.f, N * sizeof(float));
    for (size_t i = 0; i < N; i++) d.d[i] *= twin_slope(gelu_sum, &x.d[i], &x.d[i]);
    assert_true(twin_error(d.f, d.d, N) < 2e-6);
    pair_free(&x), pair_free(&d), pair_free(&alone), pair_free(&y);
}

/* The other kinds: values, gradients, and the same bits with and without the derivative. */
static double erf_sum(void *context) {
    double y;
    twin_gelu_erf(&y, context, 1);
    return y;
}

static double silu_sum(void *context) {
    double y;
    twin_silu(&y, context, 1);
    return y;
}

static void compare_kind(enum activation_kind kind, double (*twin)(void *context)) {
    struct pair x = pair_normals(N, 1, 3.0), y = pair_filled(N, nan(""));
    struct pair alone = pair_filled(N, nan("")), d = pair_filled(N, 0);
    float x_before[N];
    memcpy(x_before, x.f, sizeof x_before);
    activation_forward(kind, alone.f, x.f, N);
    activation_forward_derivative(kind, y.f, x.f, N);
    assert_memory_equal(y.f, alone.f, N * sizeof(float));
    memcpy(y.f, x_before, sizeof x_before);
    activation_forward(kind, y.f, y.f, N); /* in place */
    assert_memory_equal(y.f, alone.f, N * sizeof(float));
    for (size_t i = 0; i < N; i++) y.d[i] = twin(&x.d[i]);
    for (size_t i = 0; i < N; i++) d.d[i] = twin_slope(twin, &x.d[i], &x.d[i]);
    assert_true(twin_error(y.f, y.d, N) < 1e-6);
    assert_true(twin_error(x.f, d.d, N) < 2e-6);
    pair_free(&x), pair_free(&y), pair_free(&alone), pair_free(&d);
}

static void all_kinds(void **state) {
    (void)state;
    compare_kind(ACTIVATION_GELU_TANH, gelu_sum);
    compare_kind(ACTIVATION_GELU_ERF, erf_sum);
    compare_kind(ACTIVATION_SILU, silu_sum);
}

static void extremes_of_all_kinds(void **state) {
    (void)state;
    for (int kind = ACTIVATION_GELU_TANH; kind <= ACTIVATION_SILU; kind++) {
        float x[] = {-1e6f, -300.0f, -1e-20f, 0.0f, 300.0f, 1e6f, NAN}, y[7];
        const double want[] = {0, 0, -0.5e-20, 0, 300, 1e6}, derivative[] = {0, 0, .5, .5, 1, 1};
        activation_forward_derivative((enum activation_kind)kind, y, x, 7);
        assert_true(twin_error(y, want, 6) < 1e-6 && isnan(y[6]));
        assert_true(twin_error(x, derivative, 6) < 1e-6 && isnan(x[6]));
    }
}

static void gelu_extremes(void **state) {
    (void)state;
    float x[] = {-1e6f, -30.0f, -10.0f, -1e-20f, 0.0f, 1e-20f, 10.0f, 30.0f, 1e6f};
    const double y_want[] = {0, 0, 0, 0, 0, 0, 10.0, 30.0, 1e6};
    const double derivative[] = {0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1};
    float y[9];
    gelu_forward_derivative(y, x, 9);
    assert_true(twin_error(y, y_want, 9) < 1e-6);
    assert_true(twin_error(x, derivative, 9) < 1e-6);
    assert_true(y[3] == -0.5e-20f && y[5] == 0.5e-20f);
}

static void nan_stays_nan(void **state) {
    (void)state;
    float x = NAN, y = 0.0f;
    gelu_forward_derivative(&y, &x, 1);
    assert_true(isnan(y) && isnan(x));
}

/* An element has the same bits at any place of an array of any length. */
static void place_does_not_matter(void **state) {
    (void)state;
    struct pair x = pair_normals(N, 4, 2.0), y = pair_filled(N, nan(""));
    struct pair derivative = pair_normals(N, 4, 2.0);
    gelu_forward_derivative(y.f, derivative.f, N);
    for (size_t first = 0; first < 40; first++)
        for (size_t n = 1; n < 100; n += first % 8 ? 7 : 1) {
            float a[101], b[101], c[101];
            memcpy(b, x.f + first, n * sizeof *b);
            a[n] = b[n] = c[n] = 5.0f;
            gelu_forward_derivative(a, b, n);
            gelu_forward(c, x.f + first, n);
            assert_memory_equal(a, y.f + first, n * sizeof(float));
            assert_memory_equal(b, derivative.f + first, n * sizeof(float));
            assert_memory_equal(c, a, n * sizeof(float));
            assert_true(a[n] == 5.0f && b[n] == 5.0f && c[n] == 5.0f);
        }
    pair_free(&x), pair_free(&y), pair_free(&derivative);
}

/* One pass over both factors, in place of either, has the bits of two passes. */
static void gated_products(void **state) {
    static const enum activation_kind KINDS[] = {ACTIVATION_GELU_TANH, ACTIVATION_GELU_ERF,
                                                 ACTIVATION_SILU};
    (void)state;
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++) {
        struct pair x = pair_normals(N, 1, 3.0), up = pair_normals(N, 2, 1.0);
        struct pair want = pair_filled(N, nan("")), y = pair_filled(N, nan(""));
        activation_forward(KINDS[k], want.f, x.f, N);
        for (size_t i = 0; i < N; i++) want.f[i] *= up.f[i];
        activation_gated_forward(KINDS[k], y.f, x.f, up.f, N);
        assert_memory_equal(y.f, want.f, N * sizeof(float));
        activation_gated_forward(KINDS[k], up.f, x.f, up.f, N);
        assert_memory_equal(up.f, want.f, N * sizeof(float));
        pair_free(&x), pair_free(&up), pair_free(&want), pair_free(&y);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gelu_values),
                                       cmocka_unit_test(gelu_gradients),
                                       cmocka_unit_test(all_kinds),
                                       cmocka_unit_test(extremes_of_all_kinds),
                                       cmocka_unit_test(gelu_extremes),
                                       cmocka_unit_test(nan_stays_nan),
                                       cmocka_unit_test(place_does_not_matter),
                                       cmocka_unit_test(gated_products)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
