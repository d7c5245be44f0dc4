/*
 * answer_table.h - the main table of a stage `evaluate` on text: tasks by methods by kinds of
 * prompts.
 *
 * For people a task is a section and a kind of prompts a column, the most shots first, and means
 * over tasks follow: over all, and over those that shuffled labels harm. For programs a line is a
 * row.
 */
#ifndef RUN_TABLES_ANSWER_TABLE_H
#define RUN_TABLES_ANSWER_TABLE_H

#include "run/tables/answer_lines.h"
#include "run/tables/table_format.h"

/* intervals: columns low and high instead of ±. */
enum err_code answer_table_print(struct table_output *o, struct answer_lines *a, bool intervals,
                                 struct err *err);

#endif
