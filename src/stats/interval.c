#include "stats/interval.h"

#include <math.h>

#include "stats/moments.h"
#include "stats/student.h"

static struct interval from_moments(const struct moments *m, double confidence) {
    if (m->n < 2) return (struct interval){m->mean, nan(""), nan("")};
    const double n = (double)m->n, t = student_quantile(0.5 + 0.5 * confidence, n - 1.0);
    const double half = t * sqrt(m->variance / n);
    return (struct interval){m->mean, m->mean - half, m->mean + half};
}

struct interval interval_t(const double *x, size_t n, double confidence) {
    const struct moments m = moments_of(x, n);
    return from_moments(&m, confidence);
}

struct interval interval_paired(const double *a, const double *b, size_t n, double confidence) {
    const struct moments m = moments_of_differences(a, b, n);
    return from_moments(&m, confidence);
}

bool interval_excludes(const struct interval *i, double x) { return i->low > x || i->high < x; }
