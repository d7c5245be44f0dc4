/*
 * text_table.h - a table of texts and its printed forms: aligned text, CSV (RFC 4180), Markdown.
 */
#ifndef RUN_TABLES_TEXT_TABLE_H
#define RUN_TABLES_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

enum text_table_format { SHEET_TEXT, SHEET_CSV, SHEET_MARKDOWN };

struct text_table {
    size_t columns, rows; /* whole rows so far, the header not counted */
    bool *right;          /* [columns] numbers: aligned to the right */
    char **cells;         /* header first, then row by row; owned */
    size_t n, capacity;
    bool failed; /* memory was short: text_table_print says so */
};

enum err_code text_table_init(struct text_table *s, size_t columns, struct err *err);
void text_table_release(struct text_table *s); /* idempotent */

/* One cell after the other, row by row; the first `columns` cells are the header. */
void text_table_cell(struct text_table *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void text_table_align_right(struct text_table *s, size_t column);

enum err_code text_table_print(struct text *out, const struct text_table *s,
                               enum text_table_format format, struct err *err);

/* "text", "csv" or "markdown"; ERR_USAGE otherwise. */
enum err_code text_table_format_read(enum text_table_format *out, const char *word,
                                     struct err *err);

#endif
