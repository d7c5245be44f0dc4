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

static void write_cell(struct json_writer *w, const struct job_value *v) {
    if (stage_table_is_missing(v))
        json_write_null(w);
    else if (v->type == JOB_TEXT)
        json_write_bytes(w, v->as.text);
    else
        report_write_short(w, stage_table_number(v));
}

/* A key of the curve has one value in all rows of the job. */
static bool is_key(const struct curve *c, size_t column) {
    const struct job_value *first = stage_table_cell(c->t, c->first, column);
    for (size_t i = 1; i < c->n; i++)
        if (!stage_table_is_same(first, stage_table_cell(c->t, c->first + i, column))) return false;
    return !stage_table_is_missing(first) &&
           strncmp(c->t->columns.list[column].name, "mse", 3) != 0;
}

static void write_keys(struct json_writer *w, const struct curve *c) {
    json_write_key(w, "keys"), json_write_object(w);
    for (size_t i = 0; i < c->t->columns.n; i++) {
        if (!is_key(c, i)) continue;
        json_write_key(w, c->t->columns.list[i].name);
        write_cell(w, stage_table_cell(c->t, c->first, i));
    }
    json_write_close(w);
}

static void write_column(struct json_writer *w, const char *key, const struct curve *c,
                         size_t column) {
    json_write_key(w, key), json_write_array(w);
    for (size_t i = 0; i < c->n; i += c->step)
        report_write_short(w, stage_table_number(stage_table_cell(c->t, c->first + i, column)));
    json_write_close(w);
}

/* A t interval is symmetric: y - low is half of it. */
static void write_half(struct json_writer *w, const struct curve *c, size_t y, size_t low) {
    json_write_key(w, "half"), json_write_array(w);
    for (size_t i = 0; i < c->n; i += c->step)
        report_write_short(w, stage_table_number(stage_table_cell(c->t, c->first + i, y)) -
                                  stage_table_number(stage_table_cell(c->t, c->first + i, low)));
    json_write_close(w);
}

static void write_curve(struct json_writer *w, const struct curve *c, const char *stage) {
    const size_t x = stage_table_column(c->t, c->kind->x), y = stage_table_column(c->t, c->kind->y);
    if (x == c->t->columns.n || y == c->t->columns.n) return; /* a table of answers */
    if (isnan(stage_table_number(stage_table_cell(c->t, c->first, y)))) return;
    json_write_object(w);
    json_write_key(w, "stage"), json_write_bytes(w, stage);
    json_write_key(w, "kind"), json_write_text(w, c->kind->kind);
    json_write_key(w, "x"), json_write_text(w, c->kind->x);
    json_write_key(w, "y"), json_write_text(w, c->kind->y);
    write_keys(w, c);
    write_column(w, "at", c, x);
    write_column(w, "values", c, y);
    if (c->kind->low) write_half(w, c, y, stage_table_column(c->t, c->kind->low));
    json_write_close(w);
}

static void write_jobs(struct json_writer *w, struct curve *c, const char *stage) {
    for (size_t row = 0; row < c->t->n; row += c->n) {
        c->first = row;
        c->n = stage_table_job_rows(c->t, row);
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

bool report_curves_has(const struct plan *p, size_t stage) {
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
        if (plan_stage_is(p, stage, KINDS[k].kind)) return true;
    return false;
}

enum err_code report_curves_write(struct json_writer *w, const struct run_state *r,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    json_write_array(w);
    for (size_t s = 0; s < r->plan.n_stages; s++)
        for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
            if (plan_stage_is(&r->plan, s, KINDS[k].kind))
                TRY(write_stage(w, r, s, &KINDS[k], err));
    json_write_close(w);
cleanup:
    return rc;
}
