#include "run/tables/text_table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_code text_table_init(struct text_table *s, size_t columns, struct err *err) {
    assert(columns > 0);
    *s = (struct text_table){.columns = columns, .right = calloc(columns, sizeof *s->right)};
    if (!s->right) return ERR(err, ERR_MEMORY, "no memory for a table of %zu columns", columns);
    return ERR_OK;
}

void text_table_release(struct text_table *s) {
    for (size_t i = 0; i < s->n; i++) free(s->cells[i]);
    free(s->cells);
    free(s->right);
    *s = (struct text_table){0};
}

static bool reserve(struct text_table *s) {
    if (s->n < s->capacity) return true;
    const size_t capacity = s->capacity ? 2 * s->capacity : 64;
    char **cells = realloc(s->cells, capacity * sizeof *cells);
    if (!cells) return false;
    s->cells = cells;
    s->capacity = capacity;
    return true;
}

void text_table_cell(struct text_table *s, const char *fmt, ...) {
    char cell[512];
    va_list args;
    if (s->failed) return;
    va_start(args, fmt);
    (void)vsnprintf(cell, sizeof cell, fmt, args);
    va_end(args);
    char *copy = reserve(s) ? text_copy(cell) : NULL;
    if (!copy) {
        s->failed = true;
        return;
    }
    s->cells[s->n++] = copy;
    s->rows = s->n / s->columns - (s->n >= s->columns);
}

void text_table_align_right(struct text_table *s, size_t column) { s->right[column] = true; }

/* Characters, not bytes: what a terminal shows of UTF-8. */
static size_t width_of(const char *text) {
    size_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static size_t column_width(const struct text_table *s, size_t column) {
    size_t widest = 0;
    for (size_t i = column; i < s->n; i += s->columns) {
        const size_t width = width_of(s->cells[i]);
        if (width > widest) widest = width;
    }
    return widest;
}

static void spaces(struct text *out, size_t n) { text_add(out, "%*s", (int)n, ""); }

static void print_text(struct text *out, const struct text_table *s, const size_t *widths) {
    for (size_t i = 0; i < s->n; i++) {
        const size_t column = i % s->columns;
        const size_t gap = widths[column] - width_of(s->cells[i]);
        const bool last = column + 1 == s->columns;
        if (s->right[column]) spaces(out, gap);
        text_add(out, "%s", s->cells[i]);
        if (!s->right[column] && !last) spaces(out, gap);
        text_add(out, last ? "\n" : "  ");
    }
}

static void print_csv_cell(struct text *out, const char *cell) {
    if (!strpbrk(cell, ",\"\r\n")) {
        text_add(out, "%s", cell);
        return;
    }
    text_add(out, "\"");
    for (; *cell; cell++) text_add(out, *cell == '"' ? "\"\"" : "%c", *cell);
    text_add(out, "\"");
}

static void print_csv(struct text *out, const struct text_table *s) {
    for (size_t i = 0; i < s->n; i++) {
        print_csv_cell(out, s->cells[i]);
        text_add(out, (i + 1) % s->columns ? "," : "\r\n");
    }
}

static void print_markdown_cell(struct text *out, const char *cell) {
    for (; *cell; cell++) text_add(out, *cell == '|' ? "\\|" : "%c", *cell == '\n' ? ' ' : *cell);
}

static void print_markdown(struct text *out, const struct text_table *s) {
    for (size_t i = 0; i < s->n; i++) {
        text_add(out, i % s->columns ? " | " : "| ");
        print_markdown_cell(out, s->cells[i]);
        if ((i + 1) % s->columns) continue;
        text_add(out, " |\n");
        if (i + 1 != s->columns) continue;
        for (size_t c = 0; c < s->columns; c++) text_add(out, s->right[c] ? "| ---: " : "| --- ");
        text_add(out, "|\n");
    }
}

enum err_code text_table_print(struct text *out, const struct text_table *s,
                               enum text_table_format format, struct err *err) {
    assert(s->failed || s->n % s->columns == 0);
    if (s->failed) return ERR(err, ERR_MEMORY, "no memory for a table of %zu rows", s->rows);
    if (format == SHEET_CSV) {
        print_csv(out, s);
    } else if (format == SHEET_MARKDOWN) {
        print_markdown(out, s);
    } else {
        size_t *widths = calloc(s->columns, sizeof *widths);
        if (!widths) return ERR(err, ERR_MEMORY, "no memory for a table");
        for (size_t c = 0; c < s->columns; c++) widths[c] = column_width(s, c);
        print_text(out, s, widths);
        free(widths);
    }
    return text_check(out, err);
}

enum err_code text_table_format_read(enum text_table_format *out, const char *word,
                                     struct err *err) {
    static const char *const words[] = {"text", "csv", "markdown"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(words[i], word) == 0) {
            *out = (enum text_table_format)i;
            return ERR_OK;
        }
    return ERR(err, ERR_USAGE, "--format %s: unknown; use text, csv or markdown", word);
}
