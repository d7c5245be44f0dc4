/*
 * stage_table.h - the table of a stage: its columns, and the rows of its jobs in plan order.
 *
 * Rows come from the journal.  A row of a folder that an older program wrote may have fewer cells
 * than the stage has columns now; what it lacks is "" or NaN here, and n_incomplete counts such
 * rows, for the printed table to report. A column of integers that some rows lack is real.
 */
#ifndef RUN_TABLES_STAGE_TABLE_H
#define RUN_TABLES_STAGE_TABLE_H

#include "job/row.h"
#include "run/rundir/run_state.h"
#include "run/tables/key_columns.h"

struct stage_table {
    struct job_columns columns; /* those of the stage, then `job`, then the keys that vary */
    size_t job;                 /* index of the column `job` */
    size_t zero_is_none;        /* index of the column of that name in struct stage; job: none */
    size_t n;                   /* rows */
    size_t n_incomplete;        /* rows that lack cells */
    struct job_value *cells;    /* [n, columns.n]; texts belong to the run's state */
    struct job_column *list;    /* of `columns`; owned */
    struct key_columns keys;
    char **texts; /* of the cells of keys; owned */
    size_t n_texts;
};

/* Rows of all the stage's jobs, whatever their state: a job that runs or failed has those that it
 * wrote. *r must outlive the table. ERR_MEMORY. */
enum err_code stage_table_collect(struct stage_table *out, const struct run_state *r, size_t stage,
                                  struct err *err);
void stage_table_release(struct stage_table *t); /* idempotent */

/* Index of the column of that name; columns.n: there is none. */
size_t stage_table_column(const struct stage_table *t, const char *name);
const struct job_value *stage_table_cell(const struct stage_table *t, size_t row, size_t column);
/* How many rows from this one on are of its job: the rows of a job follow each other. */
size_t stage_table_job_rows(const struct stage_table *t, size_t row);

/* The cell holds no value: "", NaN or JOB_NO_INT. */
bool stage_table_is_missing(const struct job_value *cell);
/* The number of a cell; NaN: it is a text, or holds no value. */
double stage_table_number(const struct job_value *cell);
/* Two cells of one column have equal values, or none. */
bool stage_table_is_same(const struct job_value *a, const struct job_value *b);

/* Appends the line that reports n_incomplete; nothing where it is 0. */
void stage_table_note(struct text *out, const struct stage_table *t);

#endif
