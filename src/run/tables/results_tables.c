#include "run/tables/results_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/rundir/provenance.h"
#include "run/tables/comparison_cells.h"
#include "run/tables/comparison_pool.h"
#include "run/tables/error_names.h"
#include "run/tables/key_columns.h"
#include "run/tables/stage_table.h"
#include "store/artifact.h"
#include "store/results.h"

static enum err_code put_table(struct results *file, const char *path,
                               const struct job_column *list, size_t n_columns,
                               const struct job_value *cells, size_t rows, struct err *err) {
    const struct job_columns columns = {list, n_columns};
    return results_table(file, path, &columns, cells, rows, err);
}

/* ---- /jobs: a row each */

#define JOBS_ROW(X)                                                                                \
    X(INT, line, "", "line of `taskvec plan`, from 0")                                             \
    X(TEXT, job, "", "stage and number of the job in it")                                          \
    X(TEXT, kind, "", "kind of the stage")                                                         \
    X(TEXT, identity, "", "SHA-256 of everything that the job's result depends on")                \
    X(TEXT, state, "", "PENDING, RUNNING, DONE, FAILED or BLOCKED")                                \
    X(REAL, seconds, "s", "elapsed time of the job; not part of the result")                       \
    X(TEXT, ranks, "", "ranks that last worked on the job")                                        \
    X(INT, attempt, "", "attempt that last started the job")                                       \
    X(INT, starts, "", "number of times the job was started")                                      \
    X(INT, contexts_found, "", "contexts that an earlier job had made; not part of the result")    \
    X(INT, contexts_made, "", "contexts made that later jobs may share; not part of the result")   \
    X(TEXT, reason, "", "why the job failed, or the job that blocks it")                           \
    X(TEXT, artifact, "", "path of the job's artifact in the folder of the run; empty: none")

struct jobs_row {
    JOBS_ROW(ROW_FIELD)
};
static const struct job_column JOBS_COLUMNS[] = {JOBS_ROW(ROW_COLUMN)};
enum { JOBS_COLUMNS_N = sizeof JOBS_COLUMNS / sizeof *JOBS_COLUMNS };

struct job_texts { /* what the cells of one job point to */
    char blocker[JOB_LABEL + 16];
    char artifact[HASH_HEX + 32];
};

static const char *reason_of(struct job_texts *t, const struct run_state *r, size_t j) {
    const struct run_state_job *job = &r->jobs[j];
    if (job->state == QUEUE_BLOCKED) {
        (void)snprintf(t->blocker, sizeof t->blocker, "blocked by %s", job->blocker->job->label);
        return t->blocker;
    }
    if (job->state != QUEUE_FAILED || !job->past) return "";
    return job->lost ? "lost: several attempts died while it ran" : job->past->reason;
}

/* Relative to the folder, so that it stays true when the folder is moved. */
static const char *artifact_of_job(struct job_texts *t, const struct history_job *past) {
    char path[FILE_PATH_MAX];
    if (!past || past->state != HISTORY_DONE || !past->artifact ||
        artifact_path(path, ".", past->identity, NULL) != ERR_OK)
        return "";
    (void)snprintf(t->artifact, sizeof t->artifact, "%.95s", path + strlen("./"));
    return t->artifact;
}

static void jobs_cells(struct job_value *cells, const struct jobs_row *row) {
    const struct job_value all[] = {JOBS_ROW(ROW_CELL)};
    memcpy(cells, all, sizeof all);
}

static void add_job(struct job_value *cells, struct job_texts *t, const struct run_state *r,
                    size_t j) {
    const struct planned_job *job = &r->plan.jobs[j];
    const struct history_job *past = r->jobs[j].past;
    const struct jobs_row row = {
        .line = (int64_t)j,
        .job = job->label,
        .kind = r->plan.stages[job->stage].kind->name,
        .identity = job->identity,
        .state = queue_state_text(r->jobs[j].state),
        .seconds = past && past->state == HISTORY_DONE ? past->seconds : nan(""),
        .ranks = past ? past->ranks : "",
        .attempt = past ? (int64_t)past->attempt : 0,
        .starts = past ? (int64_t)past->starts : 0,
        .contexts_found = past ? (int64_t)past->found : 0,
        .contexts_made = past ? (int64_t)past->made : 0,
        .reason = reason_of(t, r, j),
        .artifact = artifact_of_job(t, past),
    };
    jobs_cells(cells, &row);
}

/* The columns of the struct, then the keys that vary. */
struct jobs_table {
    struct key_columns keys;
    struct job_column *columns; /* [n] */
    size_t n;
    struct job_value *cells; /* [jobs, n] */
    struct job_texts *texts; /* [jobs] */
    char **keys_text;        /* of the cells of keys; owned */
    size_t n_keys_text;
};

static void jobs_table_release(struct jobs_table *t) {
    for (size_t i = 0; i < t->n_keys_text; i++) free(t->keys_text[i]);
    free(t->keys_text);
    free(t->columns);
    free(t->cells);
    free(t->texts);
    key_columns_release(&t->keys);
}

static enum err_code jobs_columns(struct jobs_table *t, const struct plan *p, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t *all = NULL;
    TRY(key_columns_of_run(&t->keys, p, err));
    t->n = JOBS_COLUMNS_N + t->keys.n;
    t->columns = calloc(t->n, sizeof *t->columns);
    all = calloc(p->n_jobs + 1, sizeof *all);
    CHECK(t->columns && all, ERR_MEMORY, "no memory for %zu columns", t->n);
    for (size_t j = 0; j < p->n_jobs; j++) all[j] = j;
    memcpy(t->columns, JOBS_COLUMNS, sizeof JOBS_COLUMNS);
    for (size_t k = 0; k < t->keys.n; k++)
        t->columns[JOBS_COLUMNS_N + k] = key_column_describe(&t->keys.list[k], p, all, p->n_jobs);
cleanup:
    free(all);
    return rc;
}

static enum err_code publish_jobs(struct results *file, const struct run_state *r,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = r->plan.n_jobs;
    struct jobs_table t = {0};
    TRY(jobs_columns(&t, &r->plan, err));
    t.cells = calloc(n * t.n + 1, sizeof *t.cells);
    t.texts = calloc(n + 1, sizeof *t.texts);
    t.keys_text = calloc(n * t.keys.n + 1, sizeof *t.keys_text);
    CHECK(t.cells && t.texts && t.keys_text, ERR_MEMORY, "no memory for %zu jobs", n);
    for (size_t j = 0; j < n; j++) {
        add_job(t.cells + j * t.n, &t.texts[j], r, j);
        TRY(key_columns_cells(t.cells + j * t.n + JOBS_COLUMNS_N, t.keys_text, &t.n_keys_text,
                              &t.keys, t.columns + JOBS_COLUMNS_N, &r->plan, j, err));
    }
    TRY(put_table(file, "/jobs", t.columns, t.n, t.cells, n, err));
cleanup:
    jobs_table_release(&t);
    return rc;
}

/* ---- /tables/STAGE */

/* The attribute "mse.measure" and those of its interval: the name of what the column holds depends
 * on the problems of the run, so it is not in the column's meaning. */
static enum err_code name_errors(struct results *file, const char *path, const struct plan *p,
                                 size_t stage, struct err *err) {
    static const char *const attributes[] = {"mse.measure", "mse_low.measure", "mse_high.measure"};
    enum err_code rc = ERR_OK;
    struct text names = {0};
    TRY(error_names_of_stage(&names, p, stage, err));
    TRY(text_check(&names, err));
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        TRY(results_attribute(file, path, attributes[i], text_str(&names), err));
cleanup:
    text_release(&names);
    return rc;
}

static bool has_errors(const struct plan *p, size_t stage) {
    const struct job_columns *columns = plan_stage_columns(p, stage);
    for (size_t c = 0; c < columns->n; c++)
        if (strcmp(columns->list[c].name, "mse") == 0) return true;
    return false;
}

static enum err_code publish_stage(struct results *file, const struct run_state *r, size_t stage,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table t = {0};
    char path[256];
    TRY(stage_table_collect(&t, r, stage, err));
    (void)snprintf(path, sizeof path, "/tables/%.200s", r->plan.stages[stage].name);
    TRY(results_table(file, path, &t.columns, t.cells, t.n, err));
    if (has_errors(&r->plan, stage)) TRY(name_errors(file, path, &r->plan, stage, err));
cleanup:
    stage_table_release(&t);
    return rc;
}

/* ---- /comparisons/STAGE */

/* An evaluation whose jobs have all ended: before that, the best control and the adjusted p values
 * would change with every attempt, and an attempt that is stopped has no time for them. */
static bool has_comparisons(const struct run_state *r, size_t stage) {
    const struct plan_stage *s = &r->plan.stages[stage];
    for (size_t i = 0; i < s->n_jobs; i++) {
        const enum queue_state state = r->jobs[s->jobs[i]].state;
        if (state == QUEUE_PENDING || state == QUEUE_RUNNING) return false;
    }
    return plan_stage_is(&r->plan, stage, "evaluate");
}

static enum err_code publish_comparisons(struct results *file, const struct run_state *r,
                                         struct err *err) {
    enum err_code rc = ERR_OK;
    struct comparison_set set = {0};
    struct comparison_table t = {0};
    char path[256];
    for (size_t s = 0; s < r->plan.n_stages; s++)
        if (has_comparisons(r, s)) TRY(comparison_set_add(&set, r, s, err));
    TRY(comparison_pool(&set, err));
    for (size_t i = 0; i < set.n; i++) {
        const struct comparison_source *source = set.list[i];
        TRY(comparison_table_make(&t, &source->comparisons, &source->summary, err));
        (void)snprintf(path, sizeof path, "/comparisons/%.200s",
                       r->plan.stages[source->stage].name);
        TRY(results_table(file, path, &t.columns, t.cells, t.n, err));
        comparison_table_release(&t);
    }
cleanup:
    comparison_table_release(&t);
    comparison_set_release(&set);
    return rc;
}

/* ---- /attempts: a row each; its provenance as texts, then what it did */

#define ATTEMPTS_ROW(X)                                                                            \
    X(INT, started, "", "jobs started in the attempt")                                             \
    X(INT, done, "", "jobs finished in it")                                                        \
    X(INT, failed, "", "jobs that failed in it")                                                   \
    X(INT, code, "", "its exit code; -1: it ended without one")                                    \
    X(TEXT, end, "", "when it ended, UTC")

struct attempts_row {
    ATTEMPTS_ROW(ROW_FIELD)
};
static const struct job_column ATTEMPTS_COLUMNS[] = {ATTEMPTS_ROW(ROW_COLUMN)};
enum { ATTEMPTS_COLUMNS_N = sizeof ATTEMPTS_COLUMNS / sizeof *ATTEMPTS_COLUMNS };

static void attempts_cells(struct job_value *cells, const struct attempts_row *row) {
    const struct job_value all[] = {ATTEMPTS_ROW(ROW_CELL)};
    memcpy(cells, all, sizeof all);
}

static void add_attempt(struct job_value *cells, const struct history_attempt *a,
                        const char *const *names, size_t n_names) {
    for (size_t i = 0; i < n_names; i++) {
        const char *value = history_field(a, names[i]);
        cells[i] = (struct job_value){.type = JOB_TEXT, .as.text = value ? value : ""};
    }
    const struct attempts_row row = {
        .started = (int64_t)a->started,
        .done = (int64_t)a->done,
        .failed = (int64_t)a->failed,
        .code = a->ended ? a->code : -1,
        .end = a->end,
    };
    attempts_cells(cells + n_names, &row);
}

static enum err_code publish_attempts(struct results *file, const struct history *h,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    const char *const *names;
    const size_t n_names = provenance_fields(&names), n = n_names + ATTEMPTS_COLUMNS_N;
    struct job_value *cells = calloc(h->n_attempts * n + 1, sizeof *cells);
    struct job_column *columns = calloc(n, sizeof *columns);
    CHECK(cells && columns, ERR_MEMORY, "no memory for %zu attempts", h->n_attempts);
    for (size_t i = 0; i < n_names; i++)
        columns[i] = (struct job_column){names[i], JOB_TEXT, "", ""};
    memcpy(columns + n_names, ATTEMPTS_COLUMNS, sizeof ATTEMPTS_COLUMNS);
    for (size_t i = 0; i < h->n_attempts; i++)
        add_attempt(cells + i * n, &h->attempts[i], names, n_names);
    TRY(put_table(file, "/attempts", columns, n, cells, h->n_attempts, err));
cleanup:
    free(cells);
    free(columns);
    return rc;
}

/* ---- /provenance, /config */

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
    TRY(publish_comparisons(file, r, err));
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
