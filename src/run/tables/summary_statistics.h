/*
 * summary_statistics.h - numbers of the main table that compare a line with the lines of `plain`
 * and `oracle` in the same setting.  Another statistic is one function and one line of
 * SUMMARY_STATISTICS in summary_statistics.c.
 */
#ifndef RUN_TABLES_SUMMARY_STATISTICS_H
#define RUN_TABLES_SUMMARY_STATISTICS_H

#include "run/tables/summary.h"
#include "stats/interval.h"

struct summary_statistic {
    const char *name;    /* of its column */
    const char *meaning; /* of the note below the table */
    int rank;            /* of its column, as in text_table.h */
    /* False: the line has no such number. */
    bool (*of)(struct interval *out, struct summary *s, const struct summary_group *g);
    /* Why no line has such a number although the lines that it compares are there; NULL: they are
     * not, or the statistic has no such case. */
    const char *(*absent)(const struct summary *s);
};

enum { SUMMARY_STATISTICS_N = 2 };
extern const struct summary_statistic SUMMARY_STATISTICS[SUMMARY_STATISTICS_N];

/* mean(a - b) of a range, paired over functions: t over functions for one repeat, else a crossed
 * bootstrap over the repeats that both have. *known: as of line_pair_make(). ERR_MEMORY. */
enum err_code summary_difference(struct interval *out, bool *known, struct summary *s,
                                 const struct summary_group *a, const struct summary_group *b,
                                 const struct error_range *range, struct err *err);

/* (plain - g) / (plain - oracle) of a range, with a crossed bootstrap. *known is false where the
 * setting lacks a line or the interval of plain - oracle contains 0. ERR_MEMORY. */
enum err_code summary_recovered(struct interval *out, bool *known, struct summary *s,
                                const struct summary_group *g, const struct error_range *range,
                                struct err *err);

#endif
