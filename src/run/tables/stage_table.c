#include "run/tables/stage_table.h"

#include <math.h>
#include <stdlib.h>

static enum err_code columns_make(struct stage_table *out, const struct stage *kind,
                                  struct err *err) {
    out->n_columns = kind->n_columns + 1;
    out->columns = calloc(out->n_columns, sizeof *out->columns);
    if (!out->columns) return ERR(err, ERR_MEMORY, "no memory for %zu columns", out->n_columns);
    for (size_t c = 0; c < kind->n_columns; c++) {
        const struct stage_column *from = &kind->columns[c];
        out->columns[c] =
            (struct results_column){from->name, from->type, from->unit, from->meaning};
    }
    out->columns[kind->n_columns] =
        (struct results_column){"job", JOB_TEXT, "", "the job of the plan that gave this row"};
    return ERR_OK;
}

static struct job_value no_value(enum job_type type) {
    struct job_value v = {.type = type};
    if (type == JOB_TEXT) v.as.text = "";
    if (type == JOB_REAL) v.as.real = nan("");
    return v;
}

static void add_job(struct stage_table *out, const struct run_state *r, size_t job,
                    const char *label) {
    const struct history_job *past = r->jobs[job].past;
    for (size_t i = 0; past && i < past->n_rows; i++) {
        struct job_value *cells = out->cells + out->n * out->n_columns;
        const struct history_row *row = &past->rows[i];
        for (size_t c = 0; c + 1 < out->n_columns; c++) {
            const bool fits = c < row->n && row->cells[c].type == out->columns[c].type;
            cells[c] = fits ? row->cells[c] : no_value(out->columns[c].type);
        }
        cells[out->n_columns - 1] = (struct job_value){.type = JOB_TEXT, .as.text = label};
        out->n++;
    }
}

enum err_code stage_table_collect(struct stage_table *out, const struct run_state *r, size_t stage,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan_stage *s = &r->plan.stages[stage];
    size_t n = 0;
    *out = (struct stage_table){0};
    TRY(columns_make(out, s->kind, err));
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct history_job *past = r->jobs[s->jobs[i]].past;
        n += past ? past->n_rows : 0;
    }
    out->cells = calloc(n * out->n_columns + 1, sizeof *out->cells);
    out->labels = calloc(s->n_jobs + 1, sizeof *out->labels);
    CHECK(out->cells && out->labels, ERR_MEMORY, "no memory for %zu rows of %s", n, s->name);
    for (size_t i = 0; i < s->n_jobs; i++) {
        plan_label(out->labels[i], &r->plan, s->jobs[i]);
        add_job(out, r, s->jobs[i], out->labels[i]);
    }
cleanup:
    if (rc != ERR_OK) stage_table_release(out);
    return rc;
}

void stage_table_release(struct stage_table *rows) {
    free(rows->columns);
    free(rows->cells);
    free(rows->labels);
    *rows = (struct stage_table){0};
}
