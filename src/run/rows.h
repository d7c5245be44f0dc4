/*
 * rows.h - the table of a stage: its columns and the rows of its jobs, in plan order.
 */
#ifndef RUN_ROWS_H
#define RUN_ROWS_H

#include "run/record.h"
#include "store/results.h"

struct rows {
    struct results_column *columns; /* of the stage, then `job` */
    size_t n_columns, n;
    struct job_value *cells;    /* [n, n_columns]; texts belong to the record and to `labels` */
    char (*labels)[PLAN_LABEL]; /* one for each job of the stage */
};

/* Rows of the stage's jobs, whatever their state: a job that runs or failed shows what it has. The
 * record must outlive them. */
enum err_code rows_collect(struct rows *out, const struct record *r, size_t stage, struct err *err);
void rows_release(struct rows *rows); /* idempotent */

#endif
