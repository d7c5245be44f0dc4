/* Reference values: SciPy 1.17 (spearmanr), NumPy 2.4 (argsort with kind="stable"). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/rank_agreement.h"

enum { N = 40, TOP = 10 };

/* Uniform numbers of a linear congruential generator modulo 2^31. */
static void draw(double *x, uint32_t seed) {
    for (size_t i = 0; i < N; i++) {
        seed = (seed * 1103515245U + 12345U) & 0x7fffffffU;
        x[i] = (double)seed / 2147483648.0;
    }
}

static struct rank_agreement agreement(const double *x, const double *y, size_t n, size_t top) {
    struct rank_agreement found;
    assert_int_equal(rank_agreement_of(&found, x, y, n, top, NULL), ERR_OK);
    return found;
}

static void agrees_with(struct rank_agreement found, double spearman, double overlap) {
    if (!(fabs(found.spearman - spearman) <= 1e-12))
        fail_msg("spearman %.15g, expected %.15g", found.spearman, spearman);
    assert_true(found.overlap == overlap);
    assert_true(found.expected == 0.25);
}

static void as_scipy(void **state) {
    double x[N], y[N];
    (void)state;
    draw(x, 31);
    draw(y, 32);
    for (size_t i = 0; i < N; i++) y[i] += x[i];
    agrees_with(agreement(x, y, N, TOP), 0.710506566604128, 0.8);
    draw(y, 32);
    for (size_t i = 0; i < N; i++) { /* with ties */
        x[i] = floor(6 * x[i]);
        y[i] = floor(4 * y[i]);
    }
    agrees_with(agreement(x, y, N, TOP), -0.0649473820937699, 0.3);
}

static void constructed(void **state) {
    const double up[] = {1, 2, 3, 4}, down[] = {40, 30, 20, 10}, equal[] = {2, 2, 2, 2};
    (void)state;
    struct rank_agreement found = agreement(up, up, 4, 2);
    assert_true(found.spearman == 1 && found.overlap == 1 && found.expected == 0.5);
    found = agreement(up, down, 4, 2);
    assert_true(found.spearman == -1 && found.overlap == 0);
    assert_true(isnan(agreement(up, equal, 4, 2).spearman));
    assert_true(agreement(down, equal, 4, 2).overlap == 1); /* of equals the first two */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_scipy), cmocka_unit_test(constructed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
