/*
 * paired.h - two methods compared on the same functions: tests and sizes of their differences.
 */
#ifndef STATS_PAIRED_H
#define STATS_PAIRED_H

#include <stddef.h>

#include "base/err.h"
#include "stats/sign_flip.h"

struct paired {          /* of differences d, one number a function; NaN: there is no such number */
    double sign_flip;    /* two-sided p of the mean, sign_flip_test() */
    double wilcoxon;     /* two-sided p of the signed ranks, wilcoxon_signed_rank() */
    double standardised; /* mean(d) / deviation(d), Cohen's d of paired differences (1988, 2.3.5) */
    double rank;         /* matched-pairs rank-biserial correlation, wilcoxon.h */
    double worse;        /* share of d > 0: functions that the first method makes worse */
};

/* Of d [n]. All numbers but `worse` are NaN where a d is not finite or all are 0, `standardised`
 * also where all are equal, `worse` where a d is NaN. flips: of n values, not read where n <=
 * SIGN_FLIP_EXACT. ERR_MEMORY. */
enum err_code paired_compare(struct paired *out, const double *d, size_t n,
                             const struct sign_flips *flips, struct err *err);

#endif
