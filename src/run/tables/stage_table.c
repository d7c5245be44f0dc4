#include "run/tables/stage_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const struct job_column JOB_COLUMN = {"job", JOB_TEXT, "", "job of the plan with this row"};

/* The column of the table's stage whose 0 means that there is none; t->job: no column. */
static size_t find_zero_is_none(const struct stage_table *t, const struct stage *kind) {
    size_t c = 0;
    while (c < t->job && (!kind->zero_is_none || strcmp(t->list[c].name, kind->zero_is_none) != 0))
        c++;
    return c;
}

static enum err_code make_columns(struct stage_table *t, const struct plan *p, size_t stage,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan_stage *s = &p->stages[stage];
    TRY(key_columns_of_stage(&t->keys, p, stage, err));
    const struct job_columns *own = plan_stage_columns(p, stage);
    t->job = own->n;
    const size_t n = t->job + 1 + t->keys.n;
    t->list = calloc(n, sizeof *t->list);
    CHECK(t->list, ERR_MEMORY, "no memory for %zu columns", n);
    memcpy(t->list, own->list, t->job * sizeof *t->list);
    t->list[t->job] = JOB_COLUMN;
    t->zero_is_none = find_zero_is_none(t, s->kind);
    for (size_t k = 0; k < t->keys.n; k++)
        t->list[t->job + 1 + k] = key_column_describe(&t->keys.list[k], p, s->jobs, s->n_jobs);
    t->columns = (struct job_columns){t->list, n};
cleanup:
    return rc;
}

static struct job_value missing_cell(enum job_type type) {
    struct job_value v = {.type = type};
    if (type == JOB_TEXT) v.as.text = "";
    if (type == JOB_INT) v.as.integer = JOB_NO_INT;
    if (type == JOB_REAL) v.as.real = nan("");
    return v;
}

bool stage_table_is_missing(const struct job_value *cell) {
    if (cell->type == JOB_TEXT) return cell->as.text[0] == '\0';
    return cell->type == JOB_INT ? cell->as.integer == JOB_NO_INT : isnan(cell->as.real);
}

double stage_table_number(const struct job_value *cell) {
    if (cell->type == JOB_TEXT || stage_table_is_missing(cell)) return nan("");
    return cell->type == JOB_INT ? (double)cell->as.integer : cell->as.real;
}

bool stage_table_is_same(const struct job_value *a, const struct job_value *b) {
    if (stage_table_is_missing(a) || stage_table_is_missing(b))
        return stage_table_is_missing(a) && stage_table_is_missing(b);
    return a->type == JOB_TEXT ? strcmp(a->as.text, b->as.text) == 0
                               : stage_table_number(a) == stage_table_number(b);
}

size_t stage_table_column(const struct stage_table *t, const char *name) {
    size_t c = 0;
    while (c < t->columns.n && strcmp(t->list[c].name, name) != 0) c++;
    return c;
}

const struct job_value *stage_table_cell(const struct stage_table *t, size_t row, size_t column) {
    return &t->cells[row * t->columns.n + column];
}

size_t stage_table_job_rows(const struct stage_table *t, size_t row) {
    const char *job = stage_table_cell(t, row, t->job)->as.text;
    size_t n = 1;
    while (row + n < t->n && strcmp(stage_table_cell(t, row + n, t->job)->as.text, job) == 0) n++;
    return n;
}

/* An integer that some rows lack is real, so that NaN can stand for it in every format. */
static void settle_type(struct stage_table *t, size_t c) {
    bool missing = false;
    if (t->list[c].type != JOB_INT) return;
    for (size_t i = 0; i < t->n; i++)
        missing |= stage_table_is_missing(&t->cells[i * t->columns.n + c]);
    if (!missing) return;
    t->list[c].type = JOB_REAL;
    for (size_t i = 0; i < t->n; i++) {
        struct job_value *cell = &t->cells[i * t->columns.n + c];
        const double value = stage_table_is_missing(cell) ? nan("") : (double)cell->as.integer;
        *cell = (struct job_value){.type = JOB_REAL, .as.real = value};
    }
}

/* A cell of another type than its column's now is missing too. */
static void add_history_row(struct stage_table *t, const struct history_row *row, const char *label,
                            const struct job_value *keys) {
    struct job_value *cells = t->cells + t->n++ * t->columns.n;
    size_t lacking = 0;
    for (size_t c = 0; c < t->job; c++) {
        const enum job_type type = t->list[c].type;
        const bool given = c < row->n && row->cells[c].type == type;
        cells[c] = given ? row->cells[c] : missing_cell(type);
        lacking += !given;
    }
    if (t->zero_is_none < t->job && cells[t->zero_is_none].as.integer == 0)
        cells[t->zero_is_none] = missing_cell(JOB_INT);
    cells[t->job] = (struct job_value){.type = JOB_TEXT, .as.text = label};
    memcpy(cells + t->job + 1, keys, t->keys.n * sizeof *keys);
    t->n_incomplete += lacking > 0;
}

static size_t count_rows(const struct run_state *r, const struct plan_stage *s) {
    size_t n = 0;
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct history_job *past = r->jobs[s->jobs[i]].past;
        n += past ? past->n_rows : 0;
    }
    return n;
}

enum err_code stage_table_collect(struct stage_table *out, const struct run_state *r, size_t stage,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan_stage *s = &r->plan.stages[stage];
    const size_t n = count_rows(r, s);
    struct job_value *keys = NULL;
    *out = (struct stage_table){0};
    TRY(make_columns(out, &r->plan, stage, err));
    keys = calloc(out->keys.n + 1, sizeof *keys);
    out->texts = calloc(s->n_jobs * out->keys.n + 1, sizeof *out->texts);
    out->cells = calloc(n * out->columns.n + 1, sizeof *out->cells);
    CHECK(keys && out->texts && out->cells, ERR_MEMORY, "no memory for %zu rows of %s", n, s->name);
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct history_job *past = r->jobs[s->jobs[i]].past;
        if (!past || past->n_rows == 0) continue;
        TRY(key_columns_cells(keys, out->texts, &out->n_texts, &out->keys, out->list + out->job + 1,
                              &r->plan, s->jobs[i], err));
        for (size_t k = 0; k < past->n_rows; k++)
            add_history_row(out, &past->rows[k], r->plan.jobs[s->jobs[i]].label, keys);
    }
    for (size_t c = 0; c < out->job; c++) settle_type(out, c);
cleanup:
    free(keys);
    if (rc != ERR_OK) stage_table_release(out);
    return rc;
}

void stage_table_release(struct stage_table *t) {
    for (size_t i = 0; i < t->n_texts; i++) free(t->texts[i]);
    free(t->texts);
    key_columns_release(&t->keys);
    free(t->list);
    free(t->cells);
    *t = (struct stage_table){0};
}

void stage_table_note(struct text *out, const struct stage_table *t) {
    if (t->n_incomplete == 0) return;
    text_add(out,
             "%zu of %zu row%s without some cells: an older program wrote them, before the table "
             "had all of "
             "these columns with their present types\n",
             t->n_incomplete, t->n, text_plural(t->n));
}
