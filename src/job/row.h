/*
 * row.h - a row of a stage's table, described once: one list gives the struct that a stage fills
 * by field name, the columns of the table, and the function that writes the row.
 *
 *     // stages/example_rows.h:  X(TYPE, name, unit, meaning), one line a column, in their order
 *     #define EXAMPLE_ROW(X)                                              \
 *         X(TEXT, method, "", "what was fitted")                          \
 *         X(INT, epochs, "", "passes over the training prompts")          \
 *         X(REAL, loss, "", "mean loss of the last epoch")
 *     ROW_DECLARE(example_row, EXAMPLE_ROW);
 *
 *     // stages/example.c
 *     ROW_DEFINE(example_row, EXAMPLE_ROW);
 *     ...  .columns = &example_row_columns,   // of its struct stage
 *     ...  const struct example_row row = {.method = "ltv", .epochs = 3, .loss = 0.5};
 *          TRY(example_row_write(ctx, 0, &row, err));
 *
 * Types: TEXT (const char *, not owned, never NULL), INT (int64_t), REAL (double; NaN: no value).
 * The order and the types of cells are part of a run's digest.  A new column goes to the end: rows
 * of folders that were written before it was added lack that cell, and tables report how many.
 */
#ifndef JOB_ROW_H
#define JOB_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum job_type { JOB_TEXT, JOB_INT, JOB_REAL };

struct job_value { /* one cell of a row */
    enum job_type type;
    union {
        const char *text; /* not owned */
        int64_t integer;  /* JOB_NO_INT: no value */
        double real;      /* NaN: no value */
    } as;
};

/* An INT without a value: the row is of an older program and lacks the cell, or its job has no such
 * number. Tables show it as missing. */
#define JOB_NO_INT INT64_MIN

struct job_column {
    const char *name; /* unique in its table; part of results.h5 */
    enum job_type type;
    const char *unit, *meaning;
};

struct job_columns {
    const struct job_column *list;
    size_t n;
};

/* ERR_BUG, with the column's name, where the number of cells or the type of one is not that of the
 * columns, or a text is NULL. */
enum err_code row_check(const struct job_columns *columns, const struct job_value *cells, size_t n,
                        struct err *err);

/* The cell of the column called `name`; NULL where there is no such column, or where the row has
 * fewer cells or one of another type, as rows of an older program may. */
const struct job_value *row_find_cell(const struct job_columns *columns,
                                      const struct job_value *cells, size_t n, const char *name);

/* The number of cells without those at the end that hold no value (NaN). Only these are compared
 * and part of a digest, so that a column which a new key fills leaves the rows of jobs without the
 * key as they were. */
size_t row_valued_cells(const struct job_value *cells, size_t n);

/* What X of a list expands to. */
#define ROW_FIELD(TYPE, name, unit, meaning) ROW_C_##TYPE name;
#define ROW_COLUMN(TYPE, name, unit, meaning) {#name, JOB_##TYPE, unit, meaning},
#define ROW_CELL(TYPE, name, unit, meaning) {JOB_##TYPE, {.ROW_MEMBER_##TYPE = row->name}},

#define ROW_C_TEXT const char *
#define ROW_C_INT int64_t
#define ROW_C_REAL double
#define ROW_MEMBER_TEXT text
#define ROW_MEMBER_INT integer
#define ROW_MEMBER_REAL real

/* struct NAME, NAME_columns, and NAME_write(): row `number` of the job, as job_row() in job.h. */
#define ROW_DECLARE(NAME, LIST)                                                                    \
    struct NAME {                                                                                  \
        LIST(ROW_FIELD)                                                                            \
    };                                                                                             \
    struct job_ctx;                                                                                \
    enum err_code NAME##_write(struct job_ctx *ctx, size_t number, const struct NAME *row,         \
                               struct err *err);                                                   \
    extern const struct job_columns NAME##_columns

#define ROW_DEFINE(NAME, LIST)                                                                     \
    enum err_code NAME##_write(struct job_ctx *ctx, size_t number, const struct NAME *row,         \
                               struct err *err) {                                                  \
        const struct job_value cells[] = {LIST(ROW_CELL)};                                         \
        return job_row(ctx, number, cells, sizeof cells / sizeof *cells, err);                     \
    }                                                                                              \
    static const struct job_column NAME##_list[] = {LIST(ROW_COLUMN)};                             \
    const struct job_columns NAME##_columns = {NAME##_list,                                        \
                                               sizeof NAME##_list / sizeof *NAME##_list}

#endif
