/*
 * key_columns.h - the keys that vary in a run as columns of its tables.
 *
 * A key varies if two jobs of one kind of stage have different values of it, in one or in two
 * stages. The key optimiser.lr of a fit is the column "optimiser_lr" in /tables/fit, and
 * "fit_optimiser_lr" in the tables of jobs that read the fit, as /tables/evaluate. A job that does
 * not have the key has an empty cell.
 */
#ifndef RUN_TABLES_KEY_COLUMNS_H
#define RUN_TABLES_KEY_COLUMNS_H

#include "job/row.h"
#include "run/plan/plan.h"

enum { KEY_COLUMN_NAME = 128 };

struct key_column {
    const struct config_key *key;
    const struct stage *kind; /* whose jobs have the key */
    bool own;                 /* the kind is that of the table */
    char name[KEY_COLUMN_NAME];
};

struct key_columns {
    struct key_column *list;
    size_t n;
};

/* Keys of the stage's kind, then those of the kinds that its jobs read; of both without what the
 * columns of the table show in any case, as method and fit_points. *out is {0}. ERR_MEMORY. */
enum err_code key_columns_of_stage(struct key_columns *out, const struct plan *p, size_t stage,
                                   struct err *err);

/* The same for the main table of a stage, which shows fewer keys in any case; for one of `evaluate`
 * with the keys of the run's estimators. *out is {0}. ERR_MEMORY. */
enum err_code key_columns_of_summary(struct key_columns *out, const struct plan *p, size_t stage,
                                     struct err *err);

/* Keys of every kind, each with its kind before it. *out is {0}. ERR_MEMORY. */
enum err_code key_columns_of_run(struct key_columns *out, const struct plan *p, struct err *err);

void key_columns_release(struct key_columns *k); /* idempotent */

bool key_is_of_estimator(const struct config_key *key); /* a key of one estimator */

/* The keys of the job, or of the job of the column's kind that it reads; NULL: there is none, or a
 * choice decides the column's key. */
const struct config_point *key_column_point(const struct plan *p, size_t job,
                                            const struct key_column *column);

/* Some of the jobs [n] have different values of the key; of those of one method alone, unless it is
 * NULL. */
bool key_column_varies(const struct key_column *column, const struct plan *p, const size_t *jobs,
                       size_t n, const char *method);

/* The key as a column of a table with the jobs of `jobs` [n]: an integer that some lack is real,
 * so that NaN can stand for it. */
struct job_column key_column_describe(const struct key_column *column, const struct plan *p,
                                      const size_t *jobs, size_t n);

/* The cells of a job, cells [keys->n], whose types are those of `columns` [keys->n]. Their texts
 * are copies, appended to texts [room for keys->n more]; the caller frees them. ERR_MEMORY. */
enum err_code key_columns_cells(struct job_value *cells, char **texts, size_t *n_texts,
                                const struct key_columns *keys, const struct job_column *columns,
                                const struct plan *p, size_t job, struct err *err);

#endif
