/*
 * comparison_set.h - the comparisons of several evaluations, of one run or of several.
 */
#ifndef RUN_TABLES_COMPARISON_SET_H
#define RUN_TABLES_COMPARISON_SET_H

#include "run/tables/comparison.h"

struct comparison_source {       /* one evaluation */
    const struct run_state *run; /* not owned */
    size_t stage;
    struct summary summary;
    struct comparisons comparisons;
};

struct comparison_set {
    struct comparison_source **list; /* owned */
    size_t n;
};

/* Appends the comparisons of a stage `evaluate`; *run must outlive the set. Errors of
 * summary_make(), ERR_MEMORY. */
enum err_code comparison_set_add(struct comparison_set *set, const struct run_state *run,
                                 size_t stage, struct err *err);
void comparison_set_release(struct comparison_set *set); /* idempotent */

#endif
