/*
 * summary_groups.h - what a line of the main table is about: its columns, and which jobs it stands
 * for.  Only repeats are averaged over: jobs whose columns, run, stage and model are the same, and
 * all keys of whose fits but `repeat`.
 */
#ifndef RUN_TABLES_SUMMARY_GROUPS_H
#define RUN_TABLES_SUMMARY_GROUPS_H

#include "run/tables/summary.h"

struct summary_axes { /* those in use that get a column */
    struct summary_axis {
        const char *key;
        size_t index; /* of its stage */
        int depth;    /* 0: of this stage's own points, 1: of what it reads, 2: of the model */
    } items[SUMMARY_KEYS];
    size_t n;
};

/* Axes of the stage, and of all it reads. */
enum err_code summary_axes(struct summary_axes *out, const struct plan *p, size_t stage,
                           struct err *err);

/* Heads of all columns. */
void summary_name_columns(struct summary *s, const struct plan *p, const struct summary_axes *axes);

/* Columns, setting and fit of a finished job; *g is {0}. Its texts are unchecked. */
void summary_describe(struct summary_group *g, const struct run_state *r, size_t stage, size_t job,
                      const struct summary_axes *axes);

/* They look the same in the table. */
bool summary_same_line(const struct summary_group *a, const struct summary_group *b);
/* They are repeats of each other. */
bool summary_same_group(const struct summary_group *a, const struct summary_group *b);

#endif
