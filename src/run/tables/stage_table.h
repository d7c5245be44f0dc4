/*
 * stage_table.h - the table of a stage: its columns and the rows of its jobs, in plan order.
 */
#ifndef RUN_TABLES_STAGE_TABLE_H
#define RUN_TABLES_STAGE_TABLE_H

#include "run/rundir/run_state.h"
#include "store/results.h"

struct stage_table {
    struct results_column *columns; /* of the stage, then `job` */
    size_t n_columns, n;
    struct job_value *cells;    /* [n, n_columns]; texts belong to the record and to `labels` */
    char (*labels)[PLAN_LABEL]; /* one for each job of the stage */
};

/* Rows of the stage's jobs, whatever their state: a job that runs or failed shows what it has. The
 * record must outlive them. */
enum err_code stage_table_collect(struct stage_table *out, const struct run_state *r, size_t stage,
                                  struct err *err);
void stage_table_release(struct stage_table *rows); /* idempotent */

#endif
