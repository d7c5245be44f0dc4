#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stats/bootstrap.h"

enum { N = 200 };

static struct resampler resampler(uint32_t resamples) {
    return (struct resampler){.seed = 7, .resamples = resamples};
}

static void normals(double out[N], uint64_t sample, double mean, double deviation) {
    const struct rng r = rng_stream(7, "test/values");
    float x[N];
    rng_normals(x, N, &r, sample, 0);
    for (size_t i = 0; i < N; i++) out[i] = mean + deviation * (double)x[i];
}

static struct interval mean_of(struct resampler *r, const double *x, size_t seeds,
                               size_t functions) {
    struct resamples drawn;
    struct interval i;
    assert_int_equal(resampler_get(&drawn, r, seeds, functions, NULL), ERR_OK);
    assert_int_equal(bootstrap_mean(&i, x, &drawn, 0.95, NULL), ERR_OK);
    return i;
}

/* For a mean of many normals the bootstrap and Student's t agree. */
static void mean_agrees_with_t(void **state) {
    (void)state;
    struct resampler r = resampler(4000);
    double x[N];
    normals(x, 0, 5.0, 2.0);
    const struct interval t = interval_t(x, N, 0.95), i = mean_of(&r, x, 1, N);
    assert_true(fabs(i.value - t.value) < 1e-14);
    assert_true(fabs(i.low - t.low) < 0.04 && fabs(i.high - t.high) < 0.04);
    resampler_release(&r);
}

static void same_names_same_bits(void **state) {
    (void)state;
    struct resampler r = resampler(100), again = resampler(100), other = resampler(100);
    double x[N];
    other.seed = 8;
    normals(x, 0, 5.0, 2.0);
    (void)mean_of(&r, x, 2, N / 2); /* other lengths before do not change the draws */
    const struct interval i = mean_of(&r, x, 1, N), j = mean_of(&again, x, 1, N),
                          k = mean_of(&other, x, 1, N);
    assert_memory_equal(&i, &j, sizeof i);
    assert_true(i.low != k.low && i.value == k.value);
    resampler_release(&r);
    resampler_release(&again);
    resampler_release(&other);
}

/* Two values have the known three means 0, 1/2, 1; one has no interval. */
static void tiny_samples(void **state) {
    (void)state;
    struct resampler r = resampler(1000), one = resampler(1);
    const double x[2] = {0.0, 1.0}, single = -6.06;
    struct interval i = mean_of(&r, x, 1, 2);
    assert_true(i.value == 0.5 && i.low == 0.0 && i.high == 1.0);
    i = mean_of(&one, x, 1, 2);
    assert_true(i.low == i.high);
    i = mean_of(&r, &single, 1, 1);
    assert_true(i.value == single && isnan(i.low) && isnan(i.high));
    i = mean_of(&r, x, 2, 1); /* two seeds on one function */
    assert_true(i.value == 0.5 && isnan(i.low) && isnan(i.high));
    resampler_release(&r);
    resampler_release(&one);
}

/* Where only seeds differ, or only functions, the interval is that of the plain bootstrap over
 * them: of means of 2 resampled seeds 0 and 1. */
static void seeds_and_functions_are_crossed(void **state) {
    (void)state;
    struct resampler r = resampler(2000);
    double x[2 * N];
    for (size_t i = 0; i < 2 * N; i++) x[i] = i < N ? 0.0 : 1.0;
    struct interval i = mean_of(&r, x, 2, N);
    assert_true(i.value == 0.5 && i.low == 0.0 && i.high == 1.0);
    normals(x, 0, 5.0, 2.0);
    memcpy(x + N, x, N * sizeof *x);
    const struct interval crossed = mean_of(&r, x, 2, N), alone = mean_of(&r, x, 1, N);
    assert_true(fabs(crossed.low - alone.low) < 1e-12 && fabs(crossed.high - alone.high) < 1e-12);
    resampler_release(&r);
}

/* Index arrays that NumPy was given too: numpy.percentile of the means, and of the ratios, of
 * x[numpy.ix_(seeds, functions)]. */
static void given_indices_agree_with_numpy(void **state) {
    enum { S = 3, F = 7, R = 11 };
    (void)state;
    uint32_t seed[R * S], function[R * F];
    double x[S * F], below[S * F];
    struct interval i;
    for (size_t k = 0; k < S * F; k++) {
        x[k] = sin(1.1 * (double)k + 0.3);
        below[k] = 2.0 + cos(0.6 * (double)k);
    }
    for (size_t r = 0; r < R; r++) {
        for (size_t s = 0; s < S; s++)
            seed[r * S + s] = (uint32_t)((5 * r + 3 * s * s + r * s) % S);
        for (size_t f = 0; f < F; f++)
            function[r * F + f] = (uint32_t)((7 * r + 4 * f + r * f * f) % F);
    }
    const struct resamples given = {R, S, F, seed, function};
    assert_int_equal(bootstrap_mean(&i, x, &given, 0.95, NULL), ERR_OK);
    assert_true(fabs(i.value - 0.07389559407328042) < 1e-14);
    assert_true(fabs(i.low - 0.008083243951547237) < 1e-14);
    assert_true(fabs(i.high - 0.3241755915195597) < 1e-14);
    assert_int_equal(bootstrap_ratio(&i, x, below, &given, 0.95, NULL), ERR_OK);
    assert_true(fabs(i.value - 0.03689980112025288) < 1e-14);
    assert_true(fabs(i.low - 0.0045423411385225355) < 1e-14);
    assert_true(fabs(i.high - 0.16263304430545683) < 1e-14);
}

/* A constant ratio has no spread, however its parts vary: they are resampled together. */
static void ratio_is_paired(void **state) {
    (void)state;
    struct resampler r = resampler(500);
    struct resamples drawn;
    struct interval i;
    double x[N], half[N], zero[N] = {0};
    normals(x, 1, 10.0, 3.0);
    for (size_t j = 0; j < N; j++) half[j] = 0.5 * x[j];
    assert_int_equal(resampler_get(&drawn, &r, 1, N, NULL), ERR_OK);
    assert_int_equal(bootstrap_ratio(&i, half, x, &drawn, 0.95, NULL), ERR_OK);
    assert_true(i.value == 0.5 && i.low == 0.5 && i.high == 0.5);
    assert_int_equal(bootstrap_ratio(&i, x, zero, &drawn, 0.95, NULL), ERR_OK);
    assert_true(isinf(i.value) && isinf(i.low) && isinf(i.high));
    assert_int_equal(bootstrap_ratio(&i, zero, zero, &drawn, 0.95, NULL), ERR_OK);
    assert_true(i.value == 0.0 && i.low == 0.0 && i.high == 0.0);
    resampler_release(&r);
}

static void recovered_fraction(void **state) {
    (void)state;
    struct resampler r = resampler(500);
    struct resamples drawn;
    struct interval share, loss;
    bool known;
    double plain[N], method[N], oracle[N];
    normals(oracle, 2, 1.0, 0.3);
    normals(plain, 3, 3.0, 0.5);
    for (size_t i = 0; i < N; i++) method[i] = 0.25 * plain[i] + 0.75 * oracle[i];
    assert_int_equal(resampler_get(&drawn, &r, 1, N, NULL), ERR_OK);
    assert_int_equal(
        bootstrap_recovered(&share, &loss, &known, plain, method, oracle, &drawn, 0.95, NULL),
        ERR_OK);
    assert_true(known && fabs(share.value - 0.75) < 1e-12);
    assert_true(fabs(share.low - 0.75) < 1e-9 && fabs(share.high - 0.75) < 1e-9);
    assert_true(loss.low > 1.8 && loss.high < 2.2 && loss.low < loss.high);
    normals(plain, 4, 1.0, 0.3); /* no loss to give back */
    assert_int_equal(
        bootstrap_recovered(&share, &loss, &known, plain, method, oracle, &drawn, 0.95, NULL),
        ERR_OK);
    assert_true(!known && isnan(share.value) && isnan(share.low) && loss.low < 0.0);
    resampler_release(&r);
}

static void nothing_to_resample(void **state) {
    (void)state;
    struct resampler r = resampler(10), none = resampler(0);
    struct resamples drawn;
    struct err err;
    assert_int_equal(resampler_get(&drawn, &r, 1, 0, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "got 1, 0 and 10"));
    assert_int_equal(resampler_get(&drawn, &none, 2, 1, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "got 2, 1 and 0"));
    resampler_release(&r);
}

/* A value that is not a number makes an unknown interval, not a wrong one. */
static void unknown_values(void **state) {
    (void)state;
    struct resampler r = resampler(50);
    double x[N];
    normals(x, 0, 5.0, 2.0);
    x[17] = nan("");
    const struct interval i = mean_of(&r, x, 1, N);
    assert_true(isnan(i.value) && isnan(i.low) && isnan(i.high));
    resampler_release(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_agrees_with_t),
        cmocka_unit_test(same_names_same_bits),
        cmocka_unit_test(tiny_samples),
        cmocka_unit_test(seeds_and_functions_are_crossed),
        cmocka_unit_test(given_indices_agree_with_numpy),
        cmocka_unit_test(ratio_is_paired),
        cmocka_unit_test(recovered_fraction),
        cmocka_unit_test(unknown_values),
        cmocka_unit_test(nothing_to_resample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
