#include <math.h>
#include <string.h>

#include "run/report/report.h"
#include "run/tables/stage_table.h"

enum { CURVE_POINTS = 2000 }; /* of a curve at most: a longer one is thinned out */

/* The columns of a kind of stage that make a curve of each job. */
struct curve_kind {
    const char *kind, *x, *y, *low; /* low: of the interval of y, or NULL */
};

static const struct curve_kind KINDS[] = {
    {"evaluate", "k", "mse", "mse_low"},
    {"estimate", "k", "mse", "mse_low"},
    {"pretrain", "step", "loss", NULL},
    {"pretrain", "step", "validation_loss", NULL},
};

struct curve {
    const struct curve_kind *kind;
    const struct stage_table *t;
    size_t first, n, step; /* rows of its job; every step-th of them is written */
};

static size_t column_of(const struct stage_table *t, const char *name) {
    size_t c = 0;
    while (c < t->columns.n && strcmp(t->columns.list[c].name, name) != 0) c++;
    return c;
}

static const struct job_value *cell(const struct stage_table *t, size_t row, size_t column) {
    return &t->cells[row * t->columns.n + column];
}

static double number(const struct job_value *v) {
    if (v->type == JOB_REAL) return v->as.real;
    return v->type == JOB_INT && v->as.integer != JOB_NO_INT ? (double)v->as.integer : nan("");
}

static void write_cell(struct json_writer *w, const struct job_value *v) {
    if (stage_table_is_missing(v))
        json_write_null(w);
    else if (v->type == JOB_TEXT)
        json_write_bytes(w, v->as.text);
    else
        report_write_short(w, number(v));
}

/* A column whose cell differs between the rows of one job is no name of its curve. */
static bool is_key(const struct curve *c, size_t column) {
    const struct job_value *a = cell(c->t, c->first, column);
    for (size_t i = 1; i < c->n; i++) {
        const struct job_value *b = cell(c->t, c->first + i, column);
        if (a->type == JOB_TEXT ? strcmp(a->as.text, b->as.text) != 0
                                : !(number(a) == number(b) || isnan(number(a))))
            return false;
    }
    return !stage_table_is_missing(a) && strncmp(c->t->columns.list[column].name, "mse", 3) != 0;
}

static void write_keys(struct json_writer *w, const struct curve *c) {
    json_write_key(w, "keys"), json_write_object(w);
    for (size_t i = 0; i < c->t->columns.n; i++) {
        if (!is_key(c, i)) continue;
        json_write_key(w, c->t->columns.list[i].name);
        write_cell(w, cell(c->t, c->first, i));
    }
    json_write_close(w);
}

static void write_column(struct json_writer *w, const char *key, const struct curve *c,
                         size_t column) {
    json_write_key(w, key), json_write_array(w);
    for (size_t i = 0; i < c->n; i += c->step)
        report_write_short(w, number(cell(c->t, c->first + i, column)));
    json_write_close(w);
}

/* t intervals lie evenly around the mean. */
static void write_half(struct json_writer *w, const struct curve *c, size_t y, size_t low) {
    json_write_key(w, "half"), json_write_array(w);
    for (size_t i = 0; i < c->n; i += c->step)
        report_write_short(w, number(cell(c->t, c->first + i, y)) -
                                  number(cell(c->t, c->first + i, low)));
    json_write_close(w);
}

static void write_curve(struct json_writer *w, const struct curve *c, const char *stage) {
    const size_t x = column_of(c->t, c->kind->x), y = column_of(c->t, c->kind->y);
    if (x == c->t->columns.n || y == c->t->columns.n) return; /* a table of answers */
    if (isnan(number(cell(c->t, c->first, y)))) return;
    json_write_object(w);
    json_write_key(w, "stage"), json_write_bytes(w, stage);
    json_write_key(w, "kind"), json_write_text(w, c->kind->kind);
    json_write_key(w, "x"), json_write_text(w, c->kind->x);
    json_write_key(w, "y"), json_write_text(w, c->kind->y);
    write_keys(w, c);
    write_column(w, "at", c, x);
    write_column(w, "values", c, y);
    if (c->kind->low) write_half(w, c, y, column_of(c->t, c->kind->low));
    json_write_close(w);
}

/* The rows of one job follow each other. */
static void write_jobs(struct json_writer *w, struct curve *c, const char *stage) {
    const struct stage_table *t = c->t;
    for (size_t row = 0; row < t->n; row += c->n) {
        const char *job = cell(t, row, t->job)->as.text;
        c->first = row;
        for (c->n = 1; row + c->n < t->n; c->n++)
            if (strcmp(cell(t, row + c->n, t->job)->as.text, job) != 0) break;
        c->step = c->n / CURVE_POINTS + 1;
        if (c->n > 1) write_curve(w, c, stage);
    }
}

static enum err_code write_stage(struct json_writer *w, const struct run_state *r, size_t stage,
                                 const struct curve_kind *kind, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table t = {0};
    TRY(stage_table_collect(&t, r, stage, err));
    write_jobs(w, &(struct curve){.kind = kind, .t = &t}, r->plan.stages[stage].name);
cleanup:
    stage_table_release(&t);
    return rc;
}

enum err_code report_curves_write(struct json_writer *w, const struct run_state *r,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    json_write_array(w);
    for (size_t s = 0; s < r->plan.n_stages; s++)
        for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
            if (strcmp(r->plan.stages[s].kind->name, KINDS[k].kind) == 0)
                TRY(write_stage(w, r, s, &KINDS[k], err));
    json_write_close(w);
cleanup:
    return rc;
}
