#include "run/tables/text_table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_code text_table_init(struct text_table *t, size_t columns, struct err *err) {
    assert(columns > 0);
    *t = (struct text_table){.columns = columns, .column = calloc(columns, sizeof *t->column)};
    if (!t->column) return ERR(err, ERR_MEMORY, "no memory for a table of %zu columns", columns);
    return ERR_OK;
}

void text_table_release(struct text_table *t) {
    for (size_t i = 0; i < t->n; i++) free(t->cells[i]);
    for (size_t i = 0; i < t->n_titles; i++) free(t->titles[i].text);
    free(t->titles);
    free(t->cells);
    free(t->column);
    *t = (struct text_table){0};
}

static bool reserve_cell(struct text_table *t) {
    if (t->n < t->capacity) return true;
    const size_t capacity = t->capacity ? 2 * t->capacity : 64;
    char **cells = realloc(t->cells, capacity * sizeof *cells);
    if (!cells) return false;
    t->cells = cells;
    t->capacity = capacity;
    return true;
}

void text_table_cell(struct text_table *t, const char *fmt, ...) {
    char cell[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(cell, sizeof cell, fmt, args);
    va_end(args);
    text_table_copy_cell(t, cell);
}

void text_table_copy_cell(struct text_table *t, const char *cell) {
    if (t->failed) return;
    char *copy = reserve_cell(t) ? text_copy(cell) : NULL;
    if (!copy) {
        t->failed = true;
        return;
    }
    t->cells[t->n++] = copy;
    t->rows = t->n / t->columns - (t->n >= t->columns);
}

void text_table_title(struct text_table *t, bool section, const char *text) {
    struct text_title *titles = realloc(t->titles, (t->n_titles + 1) * sizeof *titles);
    if (titles) t->titles = titles;
    char *copy = titles ? text_copy(text) : NULL;
    if (!copy) {
        t->failed = true;
        return;
    }
    titles[t->n_titles++] = (struct text_title){t->n / t->columns, section, copy};
}

void text_table_align_right(struct text_table *t, size_t column) { t->column[column].right = true; }

void text_table_set_rank(struct text_table *t, size_t column, int rank) {
    t->column[column].rank = rank;
}

enum err_code text_table_check(const struct text_table *t, struct err *err) {
    if (t->failed) return ERR(err, ERR_MEMORY, "no memory for a table of %zu rows", t->rows);
    assert(t->n % t->columns == 0);
    return ERR_OK;
}

const char *text_table_at(const struct text_table *t, size_t row, size_t column) {
    return t->cells[row * t->columns + column];
}

const struct text_title *text_table_title_at(const struct text_table *t, size_t row, size_t i) {
    for (size_t k = 0; k < t->n_titles; k++)
        if (t->titles[k].row == row && i-- == 0) return &t->titles[k];
    return NULL;
}

/* ---- the aligned form */

enum { GAP = 2, INDENT = 2 }; /* between columns; of rows below titles */

/* Characters, not bytes: what a terminal shows of UTF-8. */
static size_t width_of(const char *text) {
    size_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static size_t column_width(const struct text_table *t, size_t column) {
    size_t widest = 0;
    for (size_t row = 0; row <= t->rows; row++) {
        const size_t width = width_of(text_table_at(t, row, column));
        if (width > widest) widest = width;
    }
    return widest;
}

static size_t indent_of(const struct text_table *t) { return t->n_titles > 0 ? INDENT : 0; }

static const size_t HIDDEN = SIZE_MAX; /* instead of a width */

static size_t line_width(const struct text_table *t, const size_t *widths) {
    size_t sum = indent_of(t), shown = 0;
    for (size_t c = 0; c < t->columns; c++) {
        if (widths[c] == HIDDEN) continue;
        sum += widths[c] + (shown > 0 ? GAP : 0);
        shown++;
    }
    return sum;
}

/* The shown column of the highest rank, the last of equals; t->columns: none has a rank. */
static size_t next_to_hide(const struct text_table *t, const size_t *widths) {
    size_t best = t->columns;
    for (size_t c = 0; c < t->columns; c++) {
        if (widths[c] == HIDDEN || t->column[c].rank == 0) continue;
        if (best == t->columns || t->column[c].rank >= t->column[best].rank) best = c;
    }
    return best;
}

static void fit_width(size_t *widths, struct text *hidden, const struct text_table *t,
                      size_t width) {
    while (line_width(t, widths) > width) {
        const size_t c = next_to_hide(t, widths);
        if (c == t->columns) return;
        widths[c] = HIDDEN;
    }
    for (size_t c = 0; hidden && c < t->columns; c++)
        if (widths[c] == HIDDEN)
            text_add(hidden, "%s%s", hidden->size ? ", " : "", text_table_at(t, 0, c));
}

static void add_spaces(struct text *out, size_t n) { text_add(out, "%*s", (int)n, ""); }

static void print_row(struct text *out, const struct text_table *t, size_t row,
                      const size_t *widths) {
    size_t pending = indent_of(t); /* spaces that are written only before something else */
    for (size_t c = 0; c < t->columns; c++) {
        if (widths[c] == HIDDEN) continue;
        const char *cell = text_table_at(t, row, c);
        const size_t gap = widths[c] - width_of(cell);
        if (t->column[c].right) pending += gap;
        if (cell[0]) {
            add_spaces(out, pending);
            text_add(out, "%s", cell);
            pending = 0;
        }
        pending += GAP + (t->column[c].right ? 0 : gap);
    }
    text_add(out, "\n");
}

enum err_code text_table_print(struct text *out, struct text *hidden, const struct text_table *t,
                               size_t width, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t *widths = calloc(t->columns, sizeof *widths);
    CHECK(widths, ERR_MEMORY, "no memory for a table of %zu columns", t->columns);
    TRY(text_table_check(t, err));
    for (size_t c = 0; c < t->columns; c++) widths[c] = column_width(t, c);
    fit_width(widths, hidden, t, width);
    for (size_t row = 0; row <= t->rows; row++) {
        const struct text_title *title;
        for (size_t i = 0; (title = text_table_title_at(t, row, i)) != NULL; i++)
            text_add(out, "%s%s\n", title->section ? "\n" : "", title->text);
        print_row(out, t, row, widths);
    }
    TRY(text_check(out, err));
cleanup:
    free(widths);
    return rc;
}

void text_table_paragraph(struct text *out, const char *words, size_t width) {
    size_t used = 0;
    while (*words) {
        const size_t size = strcspn(words, " ");
        char word[256];
        (void)snprintf(word, sizeof word, "%.*s", (int)size, words);
        const size_t length = width_of(word);
        if (used > 0 && used + 1 + length > width) {
            text_add(out, "\n%s", word);
            used = length;
        } else {
            text_add(out, "%s%s", used ? " " : "", word);
            used += length + (used ? 1 : 0);
        }
        words += size + strspn(words + size, " ");
    }
    text_add(out, "\n");
}
