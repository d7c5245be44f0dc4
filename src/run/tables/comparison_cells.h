/*
 * comparison_cells.h - comparisons as a table with named columns.
 */
#ifndef RUN_TABLES_COMPARISON_CELLS_H
#define RUN_TABLES_COMPARISON_CELLS_H

#include "job/row.h"
#include "run/tables/comparison.h"

#define COMPARISON_ROW(X)                                                                          \
    X(TEXT, source, "", "problem of the test functions, or text task")                             \
    X(TEXT, shift, "", "how the test prompts differ from the training prompts")                    \
    X(TEXT, method, "", "method or control that is compared")                                      \
    X(TEXT, reading, "", "variant of the method; for a control made from a fit, the fit's method") \
    X(TEXT, group, "", "vector or control")                                                        \
    X(REAL, fit_points, "points", "length of the prompts of the fit; NaN: none")                   \
    X(TEXT, against, "", "what it is compared with")                                               \
    X(TEXT, range, "", "range of k: below d, in range, beyond the trained range, or last; shots")  \
    X(INT, k_first, "examples", "first number of examples of the range")                           \
    X(INT, k_last, "examples", "last number of examples of the range")                             \
    X(INT, functions, "", "test functions, or items")                                              \
    X(INT, seeds, "", "repeats of the fit that both have; of several models their number")         \
    X(INT, models, "", "models that differ in their pretraining seed; 1: one model")               \
    X(REAL, error, "", "mean error of the method over seeds, functions and the range")             \
    X(REAL, against_error, "", "the same of what it is compared with")                             \
    X(REAL, difference, "", "error - against_error; below 0: the method is better")                \
    X(REAL, difference_low, "", "lower end of its 95% interval, a crossed bootstrap")              \
    X(REAL, difference_high, "", "upper end of that interval")                                     \
    X(REAL, seeds_low, "", "lower end of the t interval of difference over 2 to 4 seeds")          \
    X(REAL, seeds_high, "", "upper end of that interval")                                          \
    X(TEXT, by_seed, "", "difference of each of 2 to 4 seeds")                                     \
    X(REAL, p, "", "two-sided p of a sign-flip test, one number a function")                       \
    X(REAL, p_holm, "", "p adjusted by Holm within the source, shift, model and range")            \
    X(REAL, p_wilcoxon, "", "two-sided p of Wilcoxon's signed-rank test, not adjusted")            \
    X(REAL, effect, "", "mean over standard deviation of the differences of functions")            \
    X(REAL, rank_effect, "", "matched-pairs rank-biserial correlation, -1 to 1")                   \
    X(REAL, recovered, "", "(plain - method) / (plain - oracle), beyond the trained range")        \
    X(REAL, recovered_low, "", "lower end of its 95% interval, a crossed bootstrap")               \
    X(REAL, recovered_high, "", "upper end of that interval")                                      \
    X(REAL, worse, "", "share of functions with a greater error than against")

struct comparison_table {
    struct job_columns columns; /* COMPARISON_ROW, then the keys that vary */
    struct job_column *list;    /* of `columns`; owned */
    size_t n;
    struct job_value *cells; /* [n, columns.n] */
    char **texts;            /* of cells; owned */
    size_t n_texts;
};

/* *out is {0}; *c and *s must outlive it. ERR_MEMORY. */
enum err_code comparison_table_make(struct comparison_table *out, const struct comparisons *c,
                                    const struct summary *s, struct err *err);
void comparison_table_release(struct comparison_table *t); /* idempotent */

#endif
