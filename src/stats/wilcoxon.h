/*
 * wilcoxon.h - the signed-rank test of paired differences (Wilcoxon 1945).
 */
#ifndef STATS_WILCOXON_H
#define STATS_WILCOXON_H

#include <stddef.h>

#include "base/err.h"

struct wilcoxon {
    size_t n;           /* differences that are not 0: the others are dropped */
    double plus, minus; /* sums of the ranks of |d| where d > 0 and where d < 0 */
    double z, p;        /* p is two-sided; both NaN where n is 0 */
    double effect;      /* (plus - minus) / (plus + minus), the matched-pairs rank-biserial
                           correlation (Kerby 2014); NaN where n is 0 */
};

/* Of finite d [n]. Equal |d| share the mean of their ranks. p is the normal approximation with the
 * variance corrected for ties and without continuity correction: scipy.stats.wilcoxon(d,
 * zero_method="wilcox", correction=False, method="asymptotic") (before SciPy 1.13 method="approx").
 * ERR_MEMORY. */
enum err_code wilcoxon_signed_rank(struct wilcoxon *out, const double *d, size_t n,
                                   struct err *err);

#endif
