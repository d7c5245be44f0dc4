#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stats/bootstrap.h"

enum { N = 200 };

static struct bootstrap plan(uint32_t resamples) {
    return (struct bootstrap){rng_stream(7, "test/bootstrap"), resamples, 0.95};
}

static void normals(double out[N], uint64_t sample, double mean, double deviation) {
    const struct rng r = rng_stream(7, "test/values");
    float x[N];
    rng_normals(x, N, &r, sample, 0);
    for (size_t i = 0; i < N; i++) out[i] = mean + deviation * (double)x[i];
}

/* For a mean of many normals the bootstrap and Student's t agree. */
static void mean_agrees_with_t(void **state) {
    (void)state;
    const struct bootstrap b = plan(4000);
    struct interval i;
    double x[N];
    normals(x, 0, 5.0, 2.0);
    const struct interval t = interval_t(x, N, 0.95);
    assert_int_equal(bootstrap_mean(&i, x, N, &b, NULL), ERR_OK);
    assert_true(fabs(i.value - t.value) < 1e-14);
    assert_true(fabs(i.low - t.low) < 0.04 && fabs(i.high - t.high) < 0.04);
}

static void same_names_same_bits(void **state) {
    (void)state;
    struct bootstrap b = plan(100), other = plan(100);
    struct interval i, j, k;
    double x[N];
    other.stream = rng_stream(8, "test/bootstrap");
    normals(x, 0, 5.0, 2.0);
    assert_int_equal(bootstrap_mean(&i, x, N, &b, NULL), ERR_OK);
    assert_int_equal(bootstrap_mean(&j, x, N, &b, NULL), ERR_OK);
    assert_int_equal(bootstrap_mean(&k, x, N, &other, NULL), ERR_OK);
    assert_memory_equal(&i, &j, sizeof i);
    assert_true(i.low != k.low && i.value == k.value);
}

/* One value has one resample; two have the known three means 0, 1/2, 1. */
static void tiny_samples(void **state) {
    (void)state;
    const struct bootstrap b = plan(1000), one = plan(1);
    const double x[2] = {0.0, 1.0};
    struct interval i;
    assert_int_equal(bootstrap_mean(&i, x, 2, &b, NULL), ERR_OK);
    assert_true(i.value == 0.5 && i.low == 0.0 && i.high == 1.0);
    assert_int_equal(bootstrap_mean(&i, x, 2, &one, NULL), ERR_OK);
    assert_true(i.low == i.high);
}

/* A constant ratio has no spread, however its parts vary: they are resampled together. */
static void ratio_is_paired(void **state) {
    (void)state;
    const struct bootstrap b = plan(500);
    struct interval i;
    double x[N], half[N], zero[N] = {0};
    normals(x, 1, 10.0, 3.0);
    for (size_t j = 0; j < N; j++) half[j] = 0.5 * x[j];
    assert_int_equal(bootstrap_ratio(&i, half, x, N, &b, NULL), ERR_OK);
    assert_true(i.value == 0.5 && i.low == 0.5 && i.high == 0.5);
    assert_int_equal(bootstrap_ratio(&i, x, zero, N, &b, NULL), ERR_OK);
    assert_true(isinf(i.value) && isinf(i.low) && isinf(i.high));
    assert_int_equal(bootstrap_ratio(&i, zero, zero, N, &b, NULL), ERR_OK);
    assert_true(i.value == 0.0 && i.low == 0.0 && i.high == 0.0);
}

static void recovered_fraction(void **state) {
    (void)state;
    const struct bootstrap b = plan(500);
    struct interval share, loss;
    bool known;
    double plain[N], method[N], oracle[N];
    normals(oracle, 2, 1.0, 0.3);
    normals(plain, 3, 3.0, 0.5);
    for (size_t i = 0; i < N; i++) method[i] = 0.25 * plain[i] + 0.75 * oracle[i];
    assert_int_equal(bootstrap_recovered(&share, &loss, &known, plain, method, oracle, N, &b, NULL),
                     ERR_OK);
    assert_true(known && fabs(share.value - 0.75) < 1e-12);
    assert_true(fabs(share.low - 0.75) < 1e-9 && fabs(share.high - 0.75) < 1e-9);
    assert_true(loss.low > 1.8 && loss.high < 2.2 && loss.low < loss.high);
    normals(plain, 4, 1.0, 0.3); /* no loss to give back */
    assert_int_equal(bootstrap_recovered(&share, &loss, &known, plain, method, oracle, N, &b, NULL),
                     ERR_OK);
    assert_true(!known && isnan(share.value) && isnan(share.low) && loss.low < 0.0);
}

static void nothing_to_resample(void **state) {
    (void)state;
    const struct bootstrap b = plan(10), none = plan(0);
    const double x[1] = {1.0};
    struct interval i;
    struct err err;
    assert_int_equal(bootstrap_mean(&i, x, 0, &b, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "at least one value and one resample, got 0 and 10"));
    assert_int_equal(bootstrap_mean(&i, x, 1, &none, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "got 1 and 0"));
}

static void one_value_has_no_interval(void **state) {
    (void)state;
    const struct bootstrap b = plan(50);
    const double x = -6.06;
    struct interval i;
    struct err err;
    assert_int_equal(bootstrap_mean(&i, &x, 1, &b, &err), ERR_OK);
    assert_true(i.value == x && isnan(i.low) && isnan(i.high));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_agrees_with_t), cmocka_unit_test(same_names_same_bits),
        cmocka_unit_test(tiny_samples),       cmocka_unit_test(ratio_is_paired),
        cmocka_unit_test(recovered_fraction), cmocka_unit_test(one_value_has_no_interval),
        cmocka_unit_test(nothing_to_resample)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
