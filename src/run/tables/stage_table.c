#include "run/tables/stage_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct job_column JOB_COLUMN = {"job", JOB_TEXT, "", "job of the plan with this row"};

static enum err_code make_columns(struct stage_table *t, const struct job_columns *of_stage,
                                  struct err *err) {
    const size_t n = of_stage->n;
    t->list = calloc(n + 1, sizeof *t->list);
    if (!t->list) return ERR(err, ERR_MEMORY, "no memory for %zu columns", n + 1);
    memcpy(t->list, of_stage->list, n * sizeof *t->list);
    t->list[n] = JOB_COLUMN;
    t->columns = (struct job_columns){t->list, n + 1};
    return ERR_OK;
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

/* A cell of another type than its column's now is missing too. */
static void add_history_row(struct stage_table *t, const struct history_row *row,
                            const char *label) {
    const size_t of_stage = t->columns.n - 1;
    struct job_value *cells = t->cells + t->n++ * t->columns.n;
    size_t lacking = 0;
    for (size_t c = 0; c < of_stage; c++) {
        const enum job_type type = t->list[c].type;
        const bool given = c < row->n && row->cells[c].type == type;
        cells[c] = given ? row->cells[c] : missing_cell(type);
        lacking += !given;
    }
    cells[of_stage] = (struct job_value){.type = JOB_TEXT, .as.text = label};
    t->n_incomplete += lacking > 0;
}

enum err_code stage_table_collect(struct stage_table *out, const struct run_state *r, size_t stage,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan_stage *s = &r->plan.stages[stage];
    size_t n = 0;
    *out = (struct stage_table){0};
    TRY(make_columns(out, s->kind->columns, err));
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct history_job *past = r->jobs[s->jobs[i]].past;
        n += past ? past->n_rows : 0;
    }
    out->cells = calloc(n * out->columns.n + 1, sizeof *out->cells);
    CHECK(out->cells, ERR_MEMORY, "no memory for %zu rows of %s", n, s->name);
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct history_job *past = r->jobs[s->jobs[i]].past;
        for (size_t k = 0; past && k < past->n_rows; k++)
            add_history_row(out, &past->rows[k], r->plan.jobs[s->jobs[i]].label);
    }
cleanup:
    if (rc != ERR_OK) stage_table_release(out);
    return rc;
}

void stage_table_release(struct stage_table *t) {
    free(t->list);
    free(t->cells);
    *t = (struct stage_table){0};
}

void stage_table_note(struct text *out, const struct stage_table *t) {
    if (t->n_incomplete == 0) return;
    text_add(out,
             "%zu of %zu rows lack cells: they were written before their table had all of these "
             "columns\n",
             t->n_incomplete, t->n);
}
