/*
 * rank_agreement.h - how far two orders of the same things agree: of heads by two maps, or by one
 * map with two seeds.
 */
#ifndef STATS_RANK_AGREEMENT_H
#define STATS_RANK_AGREEMENT_H

#include <stddef.h>

#include "base/err.h"

struct rank_agreement {
    double spearman; /* correlation of ranks, ties sharing the mean of theirs (Spearman 1904); NaN
                        where all values of x or of y are equal */
    double overlap;  /* share of the `top` largest of x that are among the `top` largest of y; of
                        equal values the first counts as the largest */
    double expected; /* overlap of two unrelated orders: top / n */
};

/* Of finite x [n] and y [n], 1 <= top <= n. scipy.stats.spearmanr(x, y).statistic. ERR_MEMORY. */
enum err_code rank_agreement_of(struct rank_agreement *out, const double *x, const double *y,
                                size_t n, size_t top, struct err *err);

#endif
