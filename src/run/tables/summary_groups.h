/*
 * summary_groups.h - key columns of the main table, and which jobs a line stands for.
 *
 * Only repeats are averaged over: jobs are one line where their key columns, run, stage and model
 * are the same, and all keys of their fits but `repeat`.
 */
#ifndef RUN_TABLES_SUMMARY_GROUPS_H
#define RUN_TABLES_SUMMARY_GROUPS_H

#include "run/tables/key_columns.h"
#include "run/tables/summary.h"

/* Heads of all key columns: the fixed ones, axes (key_columns_of_summary()), and a column
 * "chosen.KEY" for every key whose value choices made that jobs of the stage read. */
void summary_name_columns(struct summary *s, const struct plan *p, size_t stage,
                          const struct key_columns *axes);

/* Keys, kind, setting and fit of a finished job; *g is {0}. The caller checks the texts. */
void summary_describe(struct summary_group *g, const struct summary *s, const struct run_state *r,
                      size_t stage, size_t job, const struct key_columns *axes);

/* The lines have equal key columns, apart from what was chosen. */
bool summary_same_line(const struct summary *s, const struct summary_group *a,
                       const struct summary_group *b);
/* The jobs are repeats of each other. */
bool summary_same_group(const struct summary *s, const struct summary_group *a,
                        const struct summary_group *b);
/* Adds what was chosen in another repeat of *to: "0.01, 0.1". */
void summary_add_chosen(struct summary_group *to, const struct summary *s,
                        const struct summary_group *repeat);

#endif
