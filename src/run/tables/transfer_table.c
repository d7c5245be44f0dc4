#include "run/tables/transfer_table.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"

/* What a line is of, besides the keys that vary; `source` comes last. */
static const char *const LABELS[] = {"method",      "reading", "fit_points", "shift",
                                     "shift_level", "dummies", "wpe_seed",   "source"};
enum { LABELS_N = sizeof LABELS / sizeof *LABELS, LABELS_BEFORE_KEYS = LABELS_N - 1 };

struct transfer {
    const struct stage_table *rows;
    struct stage_table *out;
    size_t *label, n_labels; /* columns of `rows` */
    size_t k_at, mse_at, fit_at;
    int64_t *k; /* [n_k] ascending */
    size_t n_k;
    size_t *counts; /* [lines, n_k] */
};

static const struct job_value *transfer_row(const struct transfer *t, size_t r) {
    return t->rows->cells + r * t->rows->columns.n;
}

/* ---- columns */

static enum err_code find_labels(struct transfer *t, struct err *err) {
    const struct stage_table *rows = t->rows;
    const size_t keys = rows->columns.n - rows->job - 1;
    t->label = calloc(LABELS_N + keys, sizeof *t->label);
    if (!t->label) return ERR(err, ERR_MEMORY, "no memory for %zu columns", LABELS_N + keys);
    for (size_t i = 0; i < LABELS_BEFORE_KEYS; i++)
        t->label[t->n_labels++] = stage_table_column(rows, LABELS[i]);
    for (size_t i = 0; i < keys; i++) t->label[t->n_labels++] = rows->job + 1 + i;
    t->label[t->n_labels++] = stage_table_column(rows, LABELS[LABELS_BEFORE_KEYS]);
    t->k_at = stage_table_column(rows, "k");
    t->mse_at = stage_table_column(rows, "mse");
    t->fit_at = stage_table_column(rows, "fit_points");
    return ERR_OK;
}

static int by_k(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool has_k(const struct transfer *t, int64_t k) {
    for (size_t i = 0; i < t->n_k; i++)
        if (t->k[i] == k) return true;
    return false;
}

/* One less than the length of each fit, as far as the evaluations reach. */
static enum err_code find_k(struct transfer *t, struct err *err) {
    double last = -1;
    t->k = calloc(t->rows->n + 1, sizeof *t->k);
    if (!t->k) return ERR(err, ERR_MEMORY, "no memory for %zu rows", t->rows->n);
    for (size_t r = 0; r < t->rows->n; r++)
        last = fmax(last, stage_table_number(&transfer_row(t, r)[t->k_at]));
    for (size_t r = 0; r < t->rows->n; r++) {
        const double points = stage_table_number(&transfer_row(t, r)[t->fit_at]);
        if (!isfinite(points) || points < 1 || points - 1 > last) continue;
        const int64_t k = (int64_t)points - 1;
        if (!has_k(t, k)) t->k[t->n_k++] = k;
    }
    if (t->n_k == 0)
        return ERR(err, ERR_USAGE,
                   "--transfer: no row of a fit whose length the evaluation reaches: it needs "
                   "evaluated fits with several points or problems");
    qsort(t->k, t->n_k, sizeof *t->k, by_k);
    return ERR_OK;
}

static enum err_code make_transfer_columns(struct transfer *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table *out = t->out;
    struct text name = {0};
    const size_t n = t->n_labels + t->n_k;
    out->list = calloc(n, sizeof *out->list);
    out->texts = calloc(t->n_k, sizeof *out->texts);
    out->cells = calloc(t->rows->n * n + 1, sizeof *out->cells);
    t->counts = calloc(t->rows->n * t->n_k + 1, sizeof *t->counts);
    CHECK(out->list && out->texts && out->cells && t->counts, ERR_MEMORY,
          "no memory for %zu columns", n);
    for (size_t i = 0; i < t->n_labels; i++) out->list[i] = t->rows->list[t->label[i]];
    for (size_t i = 0; i < t->n_k; i++) {
        text_clear(&name);
        text_add(&name, "k=%lld", (long long)t->k[i]);
        TRY(text_check(&name, err));
        out->texts[i] = text_copy(text_str(&name));
        CHECK(out->texts[i], ERR_MEMORY, "no memory for the name of a column");
        out->n_texts++;
        out->list[t->n_labels + i] = (struct job_column){
            out->texts[i], JOB_REAL, "", "mean squared error after k examples, over repeats"};
    }
    out->columns = (struct job_columns){out->list, n};
    out->job = out->zero_is_none = t->n_labels - 1;
cleanup:
    text_release(&name);
    return rc;
}

/* ---- lines */

static bool is_of_line(const struct transfer *t, size_t line, const struct job_value *row) {
    const struct job_value *cells = t->out->cells + line * t->out->columns.n;
    for (size_t i = 0; i < t->n_labels; i++)
        if (!stage_table_is_same(&cells[i], &row[t->label[i]])) return false;
    return true;
}

/* The line of a row; a new one where there is none. */
static size_t transfer_line(struct transfer *t, const struct job_value *row) {
    const size_t n = t->out->columns.n;
    for (size_t line = t->out->n; line-- > 0;)
        if (is_of_line(t, line, row)) return line;
    struct job_value *cells = t->out->cells + t->out->n * n;
    for (size_t i = 0; i < t->n_labels; i++) cells[i] = row[t->label[i]];
    for (size_t i = t->n_labels; i < n; i++) cells[i].type = JOB_REAL;
    return t->out->n++;
}

static void add_transfer_row(struct transfer *t, const struct job_value *row) {
    for (size_t i = 0; i < t->n_k; i++) {
        if (stage_table_number(&row[t->k_at]) != (double)t->k[i]) continue;
        const size_t line = transfer_line(t, row);
        t->out->cells[line * t->out->columns.n + t->n_labels + i].as.real +=
            stage_table_number(&row[t->mse_at]);
        t->counts[line * t->n_k + i]++;
    }
}

/* NaN where a job has no such row yet. */
static void divide_by_counts(struct transfer *t) {
    for (size_t line = 0; line < t->out->n; line++)
        for (size_t i = 0; i < t->n_k; i++)
            t->out->cells[line * t->out->columns.n + t->n_labels + i].as.real /=
                (double)t->counts[line * t->n_k + i];
}

enum err_code transfer_table_make(struct stage_table *out, const struct stage_table *rows,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct transfer t = {.rows = rows, .out = out};
    *out = (struct stage_table){0};
    TRY(find_labels(&t, err));
    TRY(find_k(&t, err));
    TRY(make_transfer_columns(&t, err));
    for (size_t r = 0; r < rows->n; r++) add_transfer_row(&t, transfer_row(&t, r));
    divide_by_counts(&t);
cleanup:
    free(t.counts);
    free(t.k);
    free(t.label);
    if (rc != ERR_OK) stage_table_release(out);
    return rc;
}
