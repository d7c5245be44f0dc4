/*
 * text_table.h - a table of cells that are texts, and its aligned form.
 *
 * Cells are added one after the other, row by row, the header first.  A row may have a title before
 * it: "controls".  table_format.h prints the same table as CSV, Markdown, LaTeX or JSON.
 */
#ifndef RUN_TABLES_TEXT_TABLE_H
#define RUN_TABLES_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

struct text_column {
    bool right; /* numbers: aligned to the right, and numbers in JSON */
    int rank;   /* > 0: left out where the table is too wide, the highest rank first */
};

struct text_title { /* printed before a row */
    size_t row;
    bool section; /* of several groups: an empty line comes first */
    char *text;
};

struct text_table {
    size_t columns, rows;       /* rows: whole ones so far, the header not counted */
    struct text_column *column; /* [columns] */
    char **cells;               /* the header, then row by row; owned */
    size_t n, capacity;
    struct text_title *titles;
    size_t n_titles;
    bool failed; /* memory was short: text_table_check() reports it */
};

enum err_code text_table_init(struct text_table *t, size_t columns, struct err *err);
void text_table_release(struct text_table *t); /* idempotent */

void text_table_cell(struct text_table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void text_table_copy_cell(struct text_table *t, const char *cell);           /* of any length */
void text_table_title(struct text_table *t, bool section, const char *text); /* of the next row */
void text_table_align_right(struct text_table *t, size_t column);
void text_table_set_rank(struct text_table *t, size_t column, int rank);

/* ERR_MEMORY if a cell was lost; call it before printing. All rows must be whole. */
enum err_code text_table_check(const struct text_table *t, struct err *err);

/* Cell of a row, 0: the header. */
const char *text_table_at(const struct text_table *t, size_t row, size_t column);
const struct text_title *text_table_title_at(const struct text_table *t, size_t row, size_t i);

/* Appends the aligned form. width: characters of a line, SIZE_MAX: any; columns with a rank are
 * left out until it fits, and their names appended to `hidden`, where that is not NULL. A table
 * whose columns without rank are too wide stays too wide. */
enum err_code text_table_print(struct text *out, struct text *hidden, const struct text_table *t,
                               size_t width, struct err *err);

/* Appends words, broken at spaces into lines of `width` characters; ends with a newline. */
void text_table_paragraph(struct text *out, const char *words, size_t width);

#endif
