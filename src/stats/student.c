#include "stats/student.h"

#include <assert.h>
#include <math.h>

/* log(gamma(a + 1/2) / gamma(a)): the series for large a, where the difference of two large
 * logarithms would cancel. Abramowitz and Stegun 6.1.40 (terms cancelled by hand). */
static double log_gamma_step(double a) {
    if (a < 100.0) return lgamma(a + 0.5) - lgamma(a);
    return 0.5 * log(a) - 1.0 / (8.0 * a) + 1.0 / (192.0 * a * a * a);
}

static double not_zero(double x) { return fabs(x) < 1e-300 ? 1e-300 : x; }

/* The continued fraction of the incomplete beta function, Abramowitz and Stegun 26.5.8, by the
 * modified Lentz method; converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x) {
    double c = 1.0, d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0)), f = d;
    for (int m = 1; m < 100000; m++) {
        const double am = a + 2.0 * m;
        const double even = m * (b - m) * x / ((am - 1.0) * am);
        const double odd = -(a + m) * (a + b + m) * x / (am * (am + 1.0));
        d = 1.0 / not_zero(1.0 + even * d);
        c = not_zero(1.0 + even / c);
        f *= c * d;
        d = 1.0 / not_zero(1.0 + odd * d);
        c = not_zero(1.0 + odd / c);
        f *= c * d;
        if (fabs(c * d - 1.0) < 1e-16) break;
    }
    return f;
}

/* P(t > x) for x >= 0: half of I_u(dof/2, 1/2), u = dof / (dof + x^2). */
static double upper_tail(double x, double dof) {
    const double a = 0.5 * dof, u = dof / (dof + x * x), v = x * x / (dof + x * x);
    if (v == 0.0) return 0.5;
    const double log_front = log_gamma_step(a) - 0.5 * log(3.14159265358979323846) -
                             a * log1p(x * x / dof) + 0.5 * log(v);
    if (u < (a + 1.0) / (a + 2.5)) return 0.5 * exp(log_front) / a * beta_fraction(a, 0.5, u);
    return 0.5 - exp(log_front) * beta_fraction(0.5, a, v);
}

double student_cdf(double x, double dof) {
    assert(dof > 0.0);
    const double tail = upper_tail(fabs(x), dof);
    return x < 0.0 ? tail : 1.0 - tail;
}

double student_quantile(double p, double dof) {
    assert(p > 0.0 && p < 1.0 && dof > 0.0);
    if (p < 0.5) return -student_quantile(1.0 - p, dof);
    double low = 0.0, high = 1.0;
    while (upper_tail(high, dof) > 1.0 - p && high < 1e300) high *= 2.0;
    for (int i = 0; i < 200; i++) {
        const double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) break;
        if (upper_tail(middle, dof) > 1.0 - p)
            low = middle;
        else
            high = middle;
    }
    return high;
}
