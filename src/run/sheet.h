/*
 * sheet.h - a table of texts and its printed forms: aligned text, CSV (RFC 4180), Markdown.
 */
#ifndef RUN_SHEET_H
#define RUN_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

enum sheet_format { SHEET_TEXT, SHEET_CSV, SHEET_MARKDOWN };

struct sheet {
    size_t columns, rows; /* whole rows so far, the header not counted */
    bool *right;          /* [columns] numbers: aligned to the right */
    char **cells;         /* header first, then row by row; owned */
    size_t n, capacity;
    bool failed; /* memory was short: sheet_print says so */
};

enum err_code sheet_init(struct sheet *s, size_t columns, struct err *err);
void sheet_release(struct sheet *s); /* idempotent */

/* One cell after the other, row by row; the first `columns` cells are the header. */
void sheet_cell(struct sheet *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sheet_align_right(struct sheet *s, size_t column);

enum err_code sheet_print(struct text *out, const struct sheet *s, enum sheet_format format,
                          struct err *err);

/* "text", "csv" or "markdown"; ERR_USAGE otherwise. */
enum err_code sheet_format_read(enum sheet_format *out, const char *word, struct err *err);

#endif
