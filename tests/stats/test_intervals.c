#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/interval.h"
#include "stats/moments.h"
#include "stats/student.h"

static void near(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance * fmax(1.0, fabs(want))))
        fail_msg("got %.12g, want %.12g", got, want);
}

static void moments(void **state) {
    (void)state;
    const double x[4] = {1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0, 1e9 + 6.0};
    const struct moments m = moments_of(x, 4), one = moments_of(x, 1), none = moments_of(x, 0);
    assert_true(m.n == 4 && m.mean == 1e9 + 3.0);
    near(m.variance, 14.0 / 3.0, 1e-14);
    assert_true(one.mean == x[0] && isnan(one.variance));
    assert_true(isnan(none.mean) && isnan(none.variance));
}

/* Closed forms at 1 and 2 degrees of freedom; printed tables elsewhere. */
static void student(void **state) {
    (void)state;
    const double table[][3] = {{0.975, 1, 12.706204736174}, {0.975, 2, 4.302652729749},
                               {0.975, 9, 2.262157162798},  {0.975, 100, 1.983971518523},
                               {0.95, 5, 2.015048373333},   {0.995, 30, 2.749995653567},
                               {0.9995, 3, 12.923978636687}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        near(student_quantile(table[i][0], table[i][1]), table[i][2], 1e-10);
    near(student_quantile(0.975, 1e6), 1.959966356814107, 1e-10);
    for (double p = 0.001; p < 1.0; p += 0.0713) {
        const double a = 2.0 * p - 1.0;
        near(student_quantile(p, 1.0), tan(M_PI * (p - 0.5)), 1e-10);
        near(student_quantile(p, 2.0), a * sqrt(2.0 / (1.0 - a * a)), 1e-10);
        for (double dof = 0.5; dof < 1e6; dof *= 7.3)
            near(student_cdf(student_quantile(p, dof), dof), p, 1e-12);
    }
    assert_true(student_quantile(0.5, 7.0) < 1e-12 && student_cdf(0.0, 7.0) == 0.5);
    near(student_cdf(-1.0, 1.0), 0.25, 1e-14);
}

static void t_interval(void **state) {
    (void)state;
    const double x[5] = {1.0, 2.0, 3.0, 4.0, 5.0};
    const struct interval i = interval_t(x, 5, 0.95), one = interval_t(x, 1, 0.95);
    near(i.value, 3.0, 1e-15);
    near(i.high - 3.0, 2.776445105198 * sqrt(2.5 / 5.0), 1e-10);
    near(3.0 - i.low, i.high - 3.0, 1e-15);
    assert_true(one.value == 1.0 && isnan(one.low) && isnan(one.high));
    assert_true(isnan(interval_t(x, 0, 0.95).value));
    assert_true(interval_excludes(&i, 0.5) && interval_excludes(&i, 5.5));
    assert_true(!interval_excludes(&i, 3.0) && !interval_excludes(&one, 100.0));
}

static void paired_interval(void **state) {
    (void)state;
    const double a[4] = {10.0, 20.0, 30.0, 40.0}, b[4] = {9.0, 18.5, 29.0, 37.5};
    const double d[4] = {1.0, 1.5, 1.0, 2.5};
    const struct interval i = interval_paired(a, b, 4, 0.9), want = interval_t(d, 4, 0.9);
    near(i.value, want.value, 1e-15);
    near(i.low, want.low, 1e-13);
    near(i.high, want.high, 1e-13);
    assert_true(isnan(interval_paired(a, b, 1, 0.9).low));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(moments), cmocka_unit_test(student),
                                       cmocka_unit_test(t_interval),
                                       cmocka_unit_test(paired_interval)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
