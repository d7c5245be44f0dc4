/*
 * summary_groups.h - key columns of the main table, and which jobs a line stands for.
 *
 * Only repeats are averaged over: jobs are one line where their key columns, run, stage and model
 * are the same, and all keys of their fits but `repeat`.
 */
#ifndef RUN_TABLES_SUMMARY_GROUPS_H
#define RUN_TABLES_SUMMARY_GROUPS_H

#include "run/tables/summary.h"

struct summary_axes { /* axes with several values: each gets a key column */
    struct summary_axis {
        const char *key;
        size_t index; /* of its stage */
        int depth;    /* 0: an axis of the stage itself, 1: of the fits it reads, 2: of the model */
    } items[SUMMARY_KEYS];
    size_t n;
};

/* Axes of the stage and of all stages that it reads. */
enum err_code summary_axes(struct summary_axes *out, const struct plan *p, size_t stage,
                           struct err *err);

/* Heads of all key columns. */
void summary_name_columns(struct summary *s, const struct plan *p, const struct summary_axes *axes);

/* Keys, kind, setting and fit of a finished job; *g is {0}. The caller checks the texts. */
void summary_describe(struct summary_group *g, const struct run_state *r, size_t stage, size_t job,
                      const struct summary_axes *axes);

/* The lines have equal key columns. */
bool summary_same_line(const struct summary_group *a, const struct summary_group *b);
/* The jobs are repeats of each other. */
bool summary_same_group(const struct summary_group *a, const struct summary_group *b);

#endif
