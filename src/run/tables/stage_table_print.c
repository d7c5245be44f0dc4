#include "run/tables/stage_table_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables/cell_text.h"

/* "" for no value. */
static void cell_print(char *out, size_t size, const struct job_value *cell, bool exact) {
    char number[CELL_TEXT];
    out[0] = '\0';
    if (stage_table_is_missing(cell)) return;
    if (cell->type == JOB_TEXT) {
        (void)snprintf(out, size, "%s", cell->as.text);
    } else if (cell->type == JOB_INT) {
        (void)snprintf(out, size, "%" PRId64, cell->as.integer);
    } else {
        if (exact)
            cell_text_exact(number, cell->as.real);
        else
            cell_text_short(number, cell->as.real);
        (void)snprintf(out, size, "%s", number);
    }
}

enum { CELL_MOST = 512 };

static bool is_constant(const struct stage_table *rows, size_t column) {
    char first[CELL_MOST], other[CELL_MOST];
    if (rows->n < 2) return false;
    cell_print(first, sizeof first, &rows->cells[column], true);
    for (size_t r = 1; r < rows->n; r++) {
        cell_print(other, sizeof other, &rows->cells[r * rows->columns.n + column], true);
        if (strcmp(first, other) != 0) return false;
    }
    return true;
}

/* Columns that are left out first where the table is too wide, in this order. */
static const char *const DETAILS[] = {"job",         "basis_points", "nonzero", "choice",
                                      "weight_norm", "best_epoch",   "epochs",  "reading"};
enum { N_DETAILS = sizeof DETAILS / sizeof *DETAILS };

/* Never left out: what a stage measures, and the place that it is of. */
static const char *const MAIN[] = {
    "mse",         "validation_loss", "k",       "layer", "reference",
    "wasserstein", "frechet",         "cka",     "r2",    "head",
    "change",      "spearman",        "overlap", "share", "loss",
    NULL};

static bool is_main_result(const char *name) {
    for (size_t i = 0; MAIN[i]; i++)
        if (strcmp(name, MAIN[i]) == 0) return true;
    return false;
}

/* Rows of one method (the first column) that follow each other differ in the column. */
static bool tells_rows_apart(const struct stage_table *rows, size_t column) {
    char cells[4][CELL_MOST];
    for (size_t r = 1; r < rows->n; r++) {
        const struct job_value *row = rows->cells + r * rows->columns.n;
        const struct job_value *last = row - rows->columns.n;
        cell_print(cells[0], CELL_MOST, &last[0], true);
        cell_print(cells[1], CELL_MOST, &row[0], true);
        cell_print(cells[2], CELL_MOST, &last[column], true);
        cell_print(cells[3], CELL_MOST, &row[column], true);
        if (strcmp(cells[0], cells[1]) == 0 && strcmp(cells[2], cells[3]) != 0) return true;
    }
    return false;
}

/* Of text_table_set_rank(). Keys that vary and the method are always shown. */
static int rank_of(const struct stage_table *rows, size_t column) {
    const char *name = rows->columns.list[column].name;
    if (column == 0 || column > rows->job || is_main_result(name)) return 0;
    if (column == rows->job && strcmp(name, "job") != 0) return 0; /* of a table without jobs */
    if (strcmp(name, "reading") == 0 && tells_rows_apart(rows, column)) return 1;
    for (int i = 0; i < N_DETAILS; i++)
        if (strcmp(name, DETAILS[i]) == 0) return 1 + N_DETAILS - i;
    return 1;
}

static void fill(struct text_table *t, const struct stage_table *rows, const bool *shown,
                 bool programs, bool wide) {
    const struct job_columns *columns = &rows->columns;
    size_t at = 0;
    for (size_t c = 0; c < columns->n; c++) {
        if (!shown[c]) continue;
        text_table_cell(t, "%s", columns->list[c].name);
        if (columns->list[c].type != JOB_TEXT) text_table_align_right(t, at);
        if (!wide) text_table_set_rank(t, at, rank_of(rows, c));
        at++;
    }
    for (size_t i = 0; i < rows->n * columns->n; i++) {
        char cell[CELL_MOST];
        cell_print(cell, sizeof cell, &rows->cells[i], programs);
        if (shown[i % columns->n]) text_table_cell(t, "%s", cell[0] || programs ? cell : "-");
    }
}

static void constant_columns(struct text *out, const struct stage_table *rows, const bool *shown) {
    for (size_t c = 0; c < rows->columns.n; c++) {
        char cell[CELL_MOST];
        if (shown[c]) continue;
        cell_print(cell, sizeof cell, &rows->cells[c], false);
        text_add(out, "%s %s = %s", out->size ? "," : "In all rows:", rows->columns.list[c].name,
                 cell[0] ? cell : "-");
    }
    if (out->size) text_add(out, ".");
}

static void notes(struct table_output *o, const struct stage_table *rows, const bool *shown,
                  const struct text *hidden) {
    struct text out = {0};
    constant_columns(&out, rows, shown);
    if (hidden->size)
        text_add(&out, "%sColumns that did not fit: %s; --wide shows them.", out.size ? " " : "",
                 text_str(hidden));
    if (out.size) {
        text_add(o->out, "\n");
        text_table_paragraph(o->out, text_str(&out), o->format == TABLE_TEXT ? o->width : SIZE_MAX);
    }
    stage_table_note(o->out, rows);
    if (out.failed) o->out->failed = true;
    text_release(&out);
}

enum err_code stage_table_print(struct table_output *o, const struct stage_table *rows, bool wide,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const bool programs = table_format_is_for_programs(o->format);
    const size_t n = rows->columns.n;
    struct text_table t = {0};
    struct text hidden = {0};
    size_t shown_n = 0;
    bool *shown = calloc(n, sizeof *shown);
    CHECK(shown, ERR_MEMORY, "no memory for %zu columns", n);
    for (size_t c = 0; c < n; c++) {
        shown[c] = programs || wide || c == rows->job || !is_constant(rows, c);
        shown_n += shown[c];
    }
    if (rows->n == 0 && !programs) {
        text_add(o->out, "The stage has no rows yet.\n");
        stage_table_note(o->out, rows);
        goto cleanup;
    }
    TRY(text_table_init(&t, shown_n, err));
    fill(&t, rows, shown, programs, wide);
    TRY(table_output_put(o, &hidden, &t, err));
    if (!programs && o->format != TABLE_LATEX) notes(o, rows, shown, &hidden);
cleanup:
    free(shown);
    text_release(&hidden);
    text_table_release(&t);
    return rc;
}
