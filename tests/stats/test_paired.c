/* Reference values: SciPy 1.17.1 (wilcoxon with method="asymptotic", permutation_test,
 * ks_2samp, wasserstein_distance), statsmodels 0.14 (multipletests), NumPy 2.4. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/distances.h"
#include "stats/holm.h"
#include "stats/paired.h"
#include "stats/wilcoxon.h"

enum { MOST = 512 };

/* sin(a i + b) + c, in multiples of 1 / steps where that is not 0. */
static void fill(double *out, size_t n, double a, double b, double c, double steps) {
    for (size_t i = 0; i < n; i++) {
        out[i] = sin(a * (double)i + b) + c;
        if (steps > 0.0) out[i] = rint(steps * out[i]) / steps;
    }
}

static void near(double got, double wanted, double tolerance) {
    if (fabs(got - wanted) <= tolerance) return;
    fail_msg("got %.17g, expected %.17g", got, wanted);
}

static double sign_flip_of(const double *d, size_t n, size_t flips) {
    struct sign_flips f = {0};
    double p;
    assert_int_equal(sign_flips_draw(&f, flips, n, 3, NULL), ERR_OK);
    assert_int_equal(sign_flip_test(&p, d, n, &f, NULL), ERR_OK);
    sign_flips_release(&f);
    return p;
}

static void exact_sign_flips(void **state) {
    static const struct {
        size_t n;
        double p;
    } wanted[] = {{5, 0.375}, {10, 0.193359375}, {14, 0.1982421875}};
    (void)state;
    double d[MOST];
    for (size_t i = 0; i < 3; i++) {
        fill(d, wanted[i].n, 1.7, 0.3, 0.2, 0);
        assert_true(sign_flip_of(d, wanted[i].n, 0) == wanted[i].p);
    }
    const double ties[] = {1, 1, -1, 2, 0, 3};
    assert_true(sign_flip_of(ties, 6, 0) == 0.25);
    const double one = -3.0;
    assert_true(sign_flip_of(&one, 1, 0) == 1.0);
}

/* The p of 2 million random patterns is 0.0624. */
static void random_sign_flips(void **state) {
    (void)state;
    double d[MOST];
    fill(d, 40, 1.7, 0.3, 0.2, 0);
    const double p = sign_flip_of(d, 40, 20000);
    near(p, 0.0624, 0.006);
    assert_true(p == sign_flip_of(d, 40, 20000));
    for (size_t i = 0; i < 300; i++) d[i] = 1.0 + (double)i; /* no random pattern gets there */
    assert_true(sign_flip_of(d, 300, 999) == 1.0 / 1000.0);
}

static void given_sign_flips(void **state) {
    enum { N = 20, PATTERNS = 500, BYTES = 3 };
    (void)state;
    double d[MOST], p;
    uint8_t signs[PATTERNS * BYTES];
    fill(d, N, 1.7, 0.3, 0.2, 0);
    for (size_t i = 0; i < PATTERNS; i++)
        for (size_t k = 0; k < BYTES; k++)
            signs[i * BYTES + k] =
                (uint8_t)((37 * i * i + 101 * k * k * (i + 3) + 13 * i * k + 7 * k + i / 3) % 256);
    const struct sign_flips f = {PATTERNS, N, signs};
    assert_int_equal(sign_flip_test(&p, d, N, &f, NULL), ERR_OK);
    near(p, 0.23952095808383234, 1e-15);
}

static void wilcoxon_agrees_with_scipy(void **state) {
    (void)state;
    double d[MOST];
    struct wilcoxon w;
    fill(d, 40, 1.7, 0.3, 0.2, 0);
    assert_int_equal(wilcoxon_signed_rank(&w, d, 40, NULL), ERR_OK);
    assert_true(w.n == 40 && w.plus == 551.0 && w.minus == 269.0);
    near(w.p, 0.05806287480633256, 1e-14);
    near(w.effect, 0.3439024390243902, 1e-14);
}

static void wilcoxon_drops_zeros_and_shares_ranks(void **state) {
    (void)state;
    double d[MOST];
    struct wilcoxon w;
    fill(d, 30, 2.3, 0.1, 0.25, 2);
    assert_int_equal(wilcoxon_signed_rank(&w, d, 30, NULL), ERR_OK);
    assert_true(w.n == 25 && w.plus == 245.0 && w.minus == 80.0);
    near(fabs(w.z), 2.296433702109429, 1e-12);
    near(w.p, 0.021651095829419594, 1e-14);
    near(w.effect, 0.5076923076923077, 1e-14);
}

static void sizes_of_a_difference(void **state) {
    (void)state;
    double d[MOST];
    struct sign_flips f = {0};
    struct paired paired;
    fill(d, 40, 1.7, 0.3, 0.2, 0);
    assert_int_equal(sign_flips_draw(&f, 10, 40, 3, NULL), ERR_OK);
    assert_int_equal(paired_compare(&paired, d, 40, &f, NULL), ERR_OK);
    sign_flips_release(&f);
    near(paired.standardised, 0.30342426383235666, 1e-13);
    near(paired.wilcoxon, 0.05806287480633256, 1e-14);
    near(paired.worse, 0.575, 1e-15);
}

/* A planted shift is found, with every number at its bound. */
static void planted_shift(void **state) {
    (void)state;
    double d[12];
    struct paired paired;
    for (size_t i = 0; i < 12; i++) d[i] = -1.0 - 0.01 * (double)i;
    assert_int_equal(paired_compare(&paired, d, 12, NULL, NULL), ERR_OK);
    assert_true(paired.sign_flip == 2.0 / 4096.0 && paired.rank == -1.0 && paired.worse == 0.0);
    assert_true(paired.wilcoxon < 0.003 && paired.standardised < -20.0);
}

/* Equal methods have no p and no effect, and none of their functions is worse. */
static void equal_methods(void **state) {
    (void)state;
    double zero[MOST] = {0};
    struct paired paired;
    for (size_t n = 0; n <= 10; n += 5) {
        assert_int_equal(paired_compare(&paired, zero, n, NULL, NULL), ERR_OK);
        assert_true(isnan(paired.sign_flip) && isnan(paired.wilcoxon));
        assert_true(isnan(paired.standardised) && isnan(paired.rank));
        assert_true(n == 0 ? isnan(paired.worse) : paired.worse == 0.0);
    }
    zero[3] = HUGE_VAL;
    assert_int_equal(paired_compare(&paired, zero, 10, NULL, NULL), ERR_OK);
    assert_true(isnan(paired.sign_flip) && isnan(paired.wilcoxon) && paired.worse == 0.1);
    zero[3] = nan("");
    assert_int_equal(paired_compare(&paired, zero, 10, NULL, NULL), ERR_OK);
    assert_true(isnan(paired.sign_flip) && isnan(paired.worse));
}

static void holm_agrees_with_statsmodels(void **state) {
    (void)state;
    double p[] = {0.01, 0.04, nan(""), 0.03, 0.005, 0.5, 0.03};
    static const double wanted[] = {0.05, 0.12, 0, 0.12, 0.03, 0.5, 0.12};
    assert_int_equal(holm_adjust(p, p, 7, NULL), ERR_OK);
    for (size_t i = 0; i < 7; i++) {
        if (i == 2)
            assert_true(isnan(p[i]));
        else
            near(p[i], wanted[i], 1e-15);
    }
    assert_int_equal(holm_adjust(NULL, NULL, 0, NULL), ERR_OK);
}

static void distances_agree_with_scipy(void **state) {
    (void)state;
    double x[30], y[45];
    struct distances d;
    fill(x, 30, 1.3, 0.2, 0, 0);
    for (size_t i = 0; i < 45; i++) y[i] = 1.5 * (sin(0.7 * (double)i + 0.4) + 0.1);
    assert_int_equal(distances_of(&d, x, 30, y, 45, NULL), ERR_OK);
    near(d.kolmogorov_smirnov, 0.28888888888888886, 1e-14);
    near(d.wasserstein, 0.35485578371895615, 1e-13);
    for (size_t i = 0; i < 30; i++) x[i] = rint(4.0 * x[i]) / 4.0; /* ties within and between */
    for (size_t i = 0; i < 45; i++) y[i] = rint(4.0 * y[i]) / 4.0;
    assert_int_equal(distances_of(&d, x, 30, y, 45, NULL), ERR_OK);
    near(d.kolmogorov_smirnov, 0.2222222222222222, 1e-14);
    near(d.wasserstein, 0.3194444444444444, 1e-13);
}

static void constructed_distances(void **state) {
    (void)state;
    const double x[] = {3, 1, 2}, shifted[] = {12, 13, 11};
    double bad[] = {1, 0};
    struct distances d;
    struct err err;
    assert_int_equal(distances_of(&d, x, 3, x, 3, NULL), ERR_OK);
    assert_true(d.kolmogorov_smirnov == 0.0 && d.wasserstein == 0.0);
    assert_int_equal(distances_of(&d, x, 3, shifted, 3, NULL), ERR_OK);
    assert_true(d.kolmogorov_smirnov == 1.0);
    near(d.wasserstein, 10.0, 1e-13);
    bad[1] = nan("");
    assert_int_equal(distances_of(&d, x, 3, bad, 2, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "got 3 of 3 and 1 of 2"));
    assert_int_equal(distances_of(&d, x, 0, bad, 2, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "got 0 and 2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_sign_flips),
        cmocka_unit_test(random_sign_flips),
        cmocka_unit_test(given_sign_flips),
        cmocka_unit_test(wilcoxon_agrees_with_scipy),
        cmocka_unit_test(wilcoxon_drops_zeros_and_shares_ranks),
        cmocka_unit_test(sizes_of_a_difference),
        cmocka_unit_test(planted_shift),
        cmocka_unit_test(equal_methods),
        cmocka_unit_test(holm_agrees_with_statsmodels),
        cmocka_unit_test(distances_agree_with_scipy),
        cmocka_unit_test(constructed_distances),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
