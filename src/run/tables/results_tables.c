#include "run/tables/results_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/rundir/provenance.h"
#include "run/tables/stage_table.h"
#include "store/results.h"

static const struct results_column JOBS_COLUMNS[] = {
    {"line", JOB_INT, "", "line of `taskvec plan`"},
    {"job", JOB_TEXT, "", "stage and number in it"},
    {"kind", JOB_TEXT, "", "kind of the stage"},
    {"identity", JOB_TEXT, "", "SHA-256 of all that the job's result depends on"},
    {"state", JOB_TEXT, "", "PENDING, RUNNING, DONE, FAILED or BLOCKED"},
    {"seconds", JOB_REAL, "s", "time the job computed; no part of the result"},
    {"ranks", JOB_TEXT, "", "ranks that worked on it last"},
    {"attempt", JOB_INT, "", "attempt in which it was started last"},
    {"starts", JOB_INT, "", "how often it was started"},
    {"reason", JOB_TEXT, "", "why it failed or what blocks it"},
};
enum { JOBS_COLUMNS_N = sizeof JOBS_COLUMNS / sizeof *JOBS_COLUMNS };

struct job_texts { /* what the cells of one job point to */
    char label[PLAN_LABEL], blocker[PLAN_LABEL + 16];
};

static struct job_value text_value(const char *text) {
    return (struct job_value){.type = JOB_TEXT, .as.text = text};
}
static struct job_value int_value(size_t n) {
    return (struct job_value){.type = JOB_INT, .as.integer = (int64_t)n};
}
static struct job_value real_value(double x) {
    return (struct job_value){.type = JOB_REAL, .as.real = x};
}

static const char *reason_of(struct job_texts *t, const struct run_state *r, size_t j) {
    const struct run_state_job *job = &r->jobs[j];
    if (job->state == QUEUE_BLOCKED) {
        char label[PLAN_LABEL];
        plan_label(label, &r->plan, job->blocker);
        (void)snprintf(t->blocker, sizeof t->blocker, "blocked by %s", label);
        return t->blocker;
    }
    if (job->state != QUEUE_FAILED || !job->past) return "";
    return job->lost ? "lost: several attempts died while it ran" : job->past->reason;
}

static void job_cells(struct job_value *cells, struct job_texts *t, const struct run_state *r,
                      size_t j) {
    const struct plan_job *job = &r->plan.jobs[j];
    const struct history_job *past = r->jobs[j].past;
    plan_label(t->label, &r->plan, j);
    cells[0] = int_value(j);
    cells[1] = text_value(t->label);
    cells[2] = text_value(r->plan.stages[job->stage].kind->name);
    cells[3] = text_value(job->identity);
    cells[4] = text_value(queue_state_text(r->jobs[j].state));
    cells[5] = real_value(past && past->state == HISTORY_DONE ? past->seconds : nan(""));
    cells[6] = text_value(past && past->ranks ? past->ranks : "");
    cells[7] = int_value(past ? past->attempt : 0);
    cells[8] = int_value(past ? past->starts : 0);
    cells[9] = text_value(reason_of(t, r, j));
}

static enum err_code publish_jobs(struct results *file, const struct run_state *r,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = r->plan.n_jobs;
    struct job_value *cells = calloc(n * JOBS_COLUMNS_N + 1, sizeof *cells);
    struct job_texts *texts = calloc(n + 1, sizeof *texts);
    CHECK(cells && texts, ERR_MEMORY, "no memory for %zu jobs", n);
    for (size_t j = 0; j < n; j++) job_cells(cells + j * JOBS_COLUMNS_N, &texts[j], r, j);
    TRY(results_table(file, "/jobs", JOBS_COLUMNS, JOBS_COLUMNS_N, cells, n, err));
cleanup:
    free(cells);
    free(texts);
    return rc;
}

static enum err_code publish_stage(struct results *file, const struct run_state *r, size_t stage,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table rows = {0};
    char path[256];
    TRY(stage_table_collect(&rows, r, stage, err));
    (void)snprintf(path, sizeof path, "/tables/%.200s", r->plan.stages[stage].name);
    TRY(results_table(file, path, rows.columns, rows.n_columns, rows.cells, rows.n, err));
cleanup:
    stage_table_release(&rows);
    return rc;
}

/* ---- attempts: a row each, with all that they say of themselves */

static const struct results_column ATTEMPT_COLUMNS[] = {
    {"started", JOB_INT, "", "jobs started in it"},
    {"done", JOB_INT, "", "jobs finished in it"},
    {"failed", JOB_INT, "", "jobs that failed in it"},
    {"code", JOB_INT, "", "exit code; -1: it did not end in order"},
    {"end", JOB_TEXT, "", "when it ended, UTC"},
};
enum { ATTEMPT_COLUMNS_N = sizeof ATTEMPT_COLUMNS / sizeof *ATTEMPT_COLUMNS };

static void attempt_cells(struct job_value *cells, const struct history_attempt *a,
                          const char *const *names, size_t n_names) {
    for (size_t i = 0; i < n_names; i++) {
        const char *value = history_field(a, names[i]);
        cells[i] = text_value(value ? value : "");
    }
    cells += n_names;
    cells[0] = int_value(a->started);
    cells[1] = int_value(a->done);
    cells[2] = int_value(a->failed);
    cells[3] = (struct job_value){.type = JOB_INT, .as.integer = a->ended ? a->code : -1};
    cells[4] = text_value(a->end);
}

static enum err_code publish_attempts(struct results *file, const struct history *h,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    const char *const *names;
    const size_t n_names = provenance_fields(&names), n = n_names + ATTEMPT_COLUMNS_N;
    struct job_value *cells = calloc(h->n_attempts * n + 1, sizeof *cells);
    struct results_column *columns = calloc(n, sizeof *columns);
    CHECK(cells && columns, ERR_MEMORY, "no memory for %zu attempts", h->n_attempts);
    for (size_t i = 0; i < n_names; i++)
        columns[i] = (struct results_column){names[i], JOB_TEXT, "", ""};
    memcpy(columns + n_names, ATTEMPT_COLUMNS, sizeof ATTEMPT_COLUMNS);
    for (size_t i = 0; i < h->n_attempts; i++)
        attempt_cells(cells + i * n, &h->attempts[i], names, n_names);
    TRY(results_table(file, "/attempts", columns, n, cells, h->n_attempts, err));
cleanup:
    free(cells);
    free(columns);
    return rc;
}

/* The fields of the last attempt, and how many there were. */
static enum err_code publish_provenance(struct results *file, const struct run_state *r,
                                        struct err *err) {
    enum err_code rc = ERR_OK;
    char path[256], number[32];
    const struct history *h = &r->history;
    (void)snprintf(number, sizeof number, "%zu", h->n_attempts);
    TRY(results_text(file, "/provenance/attempts", number, err));
    if (h->n_attempts == 0) goto cleanup;
    const struct history_attempt *a = &h->attempts[h->n_attempts - 1];
    for (size_t i = 0; i < a->n_fields; i++) {
        if (strchr(a->fields[i].name, '/') || a->fields[i].name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "/provenance/%.200s", a->fields[i].name);
        TRY(results_text(file, path, a->fields[i].value, err));
    }
cleanup:
    return rc;
}

static enum err_code publish_config(struct results *file, const struct run_state *r,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct text resolved = {0};
    config_print(&resolved, r->config);
    TRY(text_check(&resolved, err));
    TRY(results_text(file, "/config", text_str(&resolved), err));
cleanup:
    text_release(&resolved);
    return rc;
}

enum err_code results_tables_publish(const struct run_state *r, struct err *err) {
    enum err_code rc = ERR_OK;
    struct results *file = NULL;
    char path[FILE_PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/results.h5", r->dir);
    CHECK(n > 0 && n < FILE_PATH_MAX, ERR_IO, "%s: path too long", r->dir);
    TRY(results_create(&file, path, err));
    for (size_t s = 0; s < r->plan.n_stages; s++) TRY(publish_stage(file, r, s, err));
    TRY(publish_jobs(file, r, err));
    TRY(publish_config(file, r, err));
    TRY(publish_attempts(file, &r->history, err));
    TRY(publish_provenance(file, r, err));
    struct results *whole = file;
    file = NULL;
    TRY(results_publish(whole, err));
cleanup:
    results_discard(file);
    return rc;
}
