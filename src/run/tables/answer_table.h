/*
 * answer_table.h - the main table of a stage `evaluate` on text: tasks by methods by kinds of
 * prompts.
 *
 * For people a task is a section and a kind of prompts a column, true labels with the most shots
 * first; or a kind of prompts is a section and a task a column. Means over tasks are over all, and
 * over those that shuffled labels harm. For programs a line is a row.
 */
#ifndef RUN_TABLES_ANSWER_TABLE_H
#define RUN_TABLES_ANSWER_TABLE_H

#include "run/tables/answer_lines.h"
#include "run/tables/table_format.h"

struct answer_layout {
    enum answer_measure measure; /* what cells are; programs get all */
    bool intervals;              /* columns low and high instead of ± */
    bool tasks;                  /* a column for each task */
};

enum err_code answer_table_print(struct table_output *o, struct answer_lines *a,
                                 const struct answer_layout *layout, struct err *err);

/* For it: the table for programs. */
enum err_code answer_rows_print(struct table_output *o, struct answer_lines *a, struct err *err);

#endif
