#include "run/tables/answer_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "methods/method.h"
#include "passes/answer_scores.h"
#include "run/plan/varying_keys.h"
#include "run/tables/answer_fit.h"
#include "run/tables/key_columns.h"
#include "run/tables/summary_columns.h"
#include "store/artifact.h"
#include "tensorfile/tensorfile.h"

static bool same_text(const struct text *a, const struct text *b) {
    return strcmp(text_str(a), text_str(b)) == 0;
}

bool answer_line_same_task(const struct answer_line *a, const struct answer_line *b) {
    return same_text(&a->task, &b->task) && same_text(&a->setting, &b->setting);
}

bool answer_line_same_method(const struct answer_line *a, const struct answer_line *b) {
    return same_text(&a->method, &b->method) && same_text(&a->fit, &b->fit);
}

static void line_release(struct answer_line *line) {
    text_release(&line->method);
    text_release(&line->fit);
    text_release(&line->setting);
    text_release(&line->task);
    for (size_t m = 0; m < ANSWER_MEASURES_N; m++) free(line->x[m]);
}

void answer_lines_release(struct answer_lines *a) {
    for (size_t i = 0; i < a->n; i++) line_release(&a->list[i]);
    free(a->list);
    for (size_t i = 0; i < a->n_references; i++) {
        line_release(&a->references[i].of);
        answer_labels_release(&a->references[i].labels);
    }
    free(a->references);
    free(a->tasks);
    free(a->methods);
    resampler_release(&a->resampler);
    *a = (struct answer_lines){0};
}

/* ---- what a job's line is */

struct cells { /* of the row of a job */
    const struct job_columns *columns;
    const struct history_row *row;
};

static const struct job_value *cell(const struct cells *c, const char *name) {
    return row_find_cell(c->columns, c->row->cells, c->row->n, name);
}

static const char *cell_words(const struct cells *c, const char *name) {
    const struct job_value *v = cell(c, name);
    return v && v->type == JOB_TEXT ? v->as.text : "";
}

static int64_t cell_number(const struct cells *c, const char *name) {
    const struct job_value *v = cell(c, name);
    return v && v->type == JOB_INT ? v->as.integer : 0;
}

/* The table has the shots and the evaluated task in places of their own. */
static bool is_placed(const struct key_column *column) {
    static const char *const keys[] = {"source.task", "points", "shift"};
    for (size_t i = 0; column->own && i < sizeof keys / sizeof *keys; i++)
        if (strcmp(column->key->name, keys[i]) == 0) return true;
    return false;
}

static void describe_setting(struct text *out, const struct answer_fits *fits, size_t job) {
    const struct plan *p = fits->plan;
    for (size_t i = 0; i < fits->keys->n; i++) {
        const struct key_column *column = &fits->keys->list[i];
        const char *key = column->key->name;
        const struct config_point *point = key_column_point(p, job, column);
        if (answer_fit_has(column) || is_placed(column) || !point || !config_has(point, key))
            continue;
        text_add(out, "%s%s=", out->size ? ", " : "", summary_columns_last_part(key));
        varying_keys_value(out, p, point, key);
    }
}

/* The keys that vary in the run and also in the stage; source.task in any case, which says what
 * tasks the fits are of. */
static enum err_code find_keys(struct key_columns *out, const struct plan *p, size_t stage,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan_stage *s = &p->stages[stage];
    size_t n = 0;
    TRY(key_columns_of_stage(out, p, stage, err));
    for (size_t i = 0; i < out->n; i++)
        if (strcmp(out->list[i].key->name, "source.task") == 0 ||
            key_column_varies(&out->list[i], p, s->jobs, s->n_jobs, NULL))
            out->list[n++] = out->list[i];
    out->n = n;
cleanup:
    return rc;
}

/* The folders come from the path, the rest from `source`, which has the form of the task too. */
static void describe_task(struct answer_line *line, const struct plan *p, size_t job,
                          const struct cells *c) {
    const struct config_point *point = p->jobs[job].point;
    task_names_add_folders(&line->task, &p->tasks, config_text(point, "source.task"));
    text_add(&line->task, "%s", cell_words(c, "source"));
}

static void describe_line(struct answer_line *line, const struct cells *c) {
    const char *method = cell_words(c, "method"), *reading = cell_words(c, "reading");
    const struct method *m = method_find(method);
    text_add(&line->method, "%s%s%s", method, reading[0] ? " " : "", reading);
    line->k = cell_number(c, "k");
    line->crossed = (size_t)cell_number(c, "crossed");
    line->shift = cell_words(c, "shift");
    line->kind = strcmp(method, "plain") == 0 ? ANSWER_BASELINE
                 : m && m->docs.control       ? ANSWER_CONTROL
                                              : ANSWER_VECTOR;
}

/* ---- its numbers */

static enum err_code allocate_numbers(struct answer_line *line, size_t n, struct err *err) {
    line->items = n;
    line->repeats = 1;
    for (size_t m = 0; m < ANSWER_MEASURES_N; m++) {
        line->x[m] = calloc(n, sizeof *line->x[m]);
        if (!line->x[m]) return ERR(err, ERR_MEMORY, "no memory for the scores of %zu items", n);
    }
    return ERR_OK;
}

/* The scores of one item; a file of an older program lacks the last ones. */
static void read_item(struct answer_line *line, size_t i, const float *scores, size_t n) {
    const double loss = -(double)scores[ANSWER_LOG_PROB] / (double)scores[ANSWER_TOKENS];
    line->x[MEASURE_ACCURACY][i] = (double)scores[ANSWER_RIGHT];
    line->x[MEASURE_FIRST][i] = (double)scores[ANSWER_FIRST_RIGHT];
    line->x[MEASURE_STRIPPED][i] =
        n > ANSWER_STRIPPED ? (double)scores[ANSWER_STRIPPED] : (double)NAN;
    line->x[MEASURE_LOSS][i] = loss;
    line->x[MEASURE_PERPLEXITY][i] = exp(loss);
    line->x[MEASURE_RANK][i] = (double)scores[ANSWER_RANK];
    line->x[MEASURE_WORSE][i] = (double)NAN;
}

static enum err_code read_scores(struct answer_line *line, const struct tensorfile *file,
                                 const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    float *scores = NULL;
    const struct tensor_info *t = tensorfile_find(file, "scores");
    CHECK(t && t->rank == 2 && t->shape[0] > 0 && t->shape[1] >= ANSWER_STRIPPED, ERR_DATA,
          "%s: no tensor scores [items, %d]", path, (int)ANSWER_SCORE_COUNT);
    TRY(tensorfile_copy(&scores, file, t, err));
    TRY(allocate_numbers(line, t->shape[0], err));
    for (size_t i = 0; i < line->items; i++)
        read_item(line, i, scores + i * t->shape[1], t->shape[1]);
cleanup:
    free(scores);
    return rc;
}

/* d_ntp: the distance of the job's distributions over labels from those of the task's reference. */
static enum err_code read_labels(struct answer_line *line, const struct answer_lines *a,
                                 const struct tensorfile *file, struct err *err) {
    struct answer_labels own = {0};
    const struct answer_labels none = {0}, *of = &none;
    const enum err_code rc = answer_labels_read(&own, file, err);
    for (size_t i = 0; i < a->n_references; i++)
        if (answer_line_same_task(&a->references[i].of, line)) of = &a->references[i].labels;
    if (rc == ERR_OK) (void)answer_labels_distance(line->x[MEASURE_D_NTP], of, &own, line->items);
    answer_labels_release(&own);
    return rc;
}

static enum err_code read_numbers(struct answer_line *line, const struct answer_lines *a,
                                  const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    TRY(tensorfile_open(&file, path, err));
    TRY(read_scores(line, file, path, err));
    TRY(read_labels(line, a, file, err));
cleanup:
    tensorfile_close(file);
    return rc;
}

static enum err_code append_numbers(struct answer_line *to, const struct answer_line *line,
                                    struct err *err) {
    const size_t n = to->repeats * to->items, size = to->items * sizeof(double);
    for (size_t m = 0; m < ANSWER_MEASURES_N; m++) {
        double *longer = realloc(to->x[m], n * sizeof *longer + size);
        if (!longer) return ERR(err, ERR_MEMORY, "no memory for %zu repeats", to->repeats + 1);
        memcpy(longer + n, line->x[m], size);
        to->x[m] = longer;
    }
    to->repeats++;
    return ERR_OK;
}

/* ---- all lines */

static bool is_same_line(const struct answer_line *a, const struct answer_line *b) {
    return answer_line_same_task(a, b) && answer_line_same_method(a, b) && a->k == b->k &&
           a->items == b->items && strcmp(a->shift, b->shift) == 0;
}

/* *line belongs to the lines afterwards, or is released. */
static enum err_code add_line(struct answer_lines *a, struct answer_line *line, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < a->n; i++) {
        if (!is_same_line(&a->list[i], line)) continue;
        rc = append_numbers(&a->list[i], line, err);
        line_release(line);
        return rc;
    }
    if (a->n == a->capacity) {
        const size_t capacity = a->capacity ? 2 * a->capacity : 64;
        struct answer_line *list = realloc(a->list, capacity * sizeof *list);
        if (!list) line_release(line);
        if (!list) return ERR(err, ERR_MEMORY, "no memory for %zu lines", capacity);
        a->list = list;
        a->capacity = capacity;
    }
    a->list[a->n++] = *line;
    return rc;
}

/* The line of a job without its numbers, and its artifact; false: it is not done. */
static enum err_code describe_job(bool *done, struct answer_line *line, char path[FILE_PATH_MAX],
                                  const struct run_state *r, size_t stage, size_t job,
                                  struct answer_fits *fits, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct run_state_job *known = &r->jobs[job];
    *done = known->state == QUEUE_DONE && known->past->n_rows > 0;
    if (!*done) return ERR_OK;
    const struct cells c = {plan_stage_columns(&r->plan, stage), &known->past->rows[0]};
    describe_line(line, &c);
    describe_task(line, &r->plan, job, &c);
    describe_setting(&line->setting, fits, job);
    TRY(answer_fit_describe(&line->fit, fits, job, err));
    TRY(artifact_path(path, r->dir, r->plan.jobs[job].identity, err));
    TRY(text_check(&line->method, err));
    TRY(text_check(&line->task, err));
cleanup:
    return rc;
}

static enum err_code add_answers(struct answer_lines *a, const struct run_state *r, size_t stage,
                                 size_t job, struct answer_fits *fits, struct err *err) {
    enum err_code rc = ERR_OK;
    struct answer_line line = {0};
    char path[FILE_PATH_MAX];
    bool done;
    TRY(describe_job(&done, &line, path, r, stage, job, fits, err));
    a->missing += r->jobs[job].state != QUEUE_DONE;
    if (!done) goto cleanup;
    TRY(read_numbers(&line, a, path, err));
    return add_line(a, &line, err);
cleanup:
    line_release(&line);
    return rc;
}

/* ---- what d_ntp is a distance from */

/* *line belongs to the references afterwards, or is released. */
static enum err_code set_reference(struct answer_lines *a, struct answer_line *line,
                                   const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    struct answer_reference *to = NULL;
    for (size_t i = 0; i < a->n_references && !to; i++)
        if (answer_line_same_task(&a->references[i].of, line)) to = &a->references[i];
    if (to && to->of.k >= line->k) goto cleanup;
    if (!to) {
        to = realloc(a->references, (a->n_references + 1) * sizeof *to);
        CHECK(to, ERR_MEMORY, "no memory for %zu tasks", a->n_references + 1);
        a->references = to;
        to += a->n_references++;
        *to = (struct answer_reference){0};
    }
    TRY(tensorfile_open(&file, path, err));
    line_release(&to->of);
    answer_labels_release(&to->labels);
    to->of = *line;
    *line = (struct answer_line){0};
    TRY(answer_labels_read(&to->labels, file, err));
cleanup:
    tensorfile_close(file);
    line_release(line);
    return rc;
}

static enum err_code add_reference(struct answer_lines *a, const struct run_state *r, size_t stage,
                                   size_t job, struct answer_fits *fits, struct err *err) {
    enum err_code rc = ERR_OK;
    struct answer_line line = {0};
    char path[FILE_PATH_MAX];
    bool done;
    TRY(describe_job(&done, &line, path, r, stage, job, fits, err));
    if (done && line.kind == ANSWER_BASELINE && line.k > 0 && strcmp(line.shift, "none") == 0)
        return set_reference(a, &line, path, err);
cleanup:
    line_release(&line);
    return rc;
}

enum err_code answer_lines_make(struct answer_lines *out, const struct run_state *r, size_t stage,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct key_columns keys = {0};
    struct answer_fits fits = {0};
    const struct plan_stage *s = &r->plan.stages[stage];
    out->resampler = (struct resampler){.seed = 1, .resamples = SUMMARY_RESAMPLES};
    TRY(find_keys(&keys, &r->plan, stage, err));
    TRY(answer_fits_create(&fits, &r->plan, stage, &keys, err));
    for (size_t i = 0; i < s->n_jobs; i++)
        TRY(add_reference(out, r, stage, s->jobs[i], &fits, err));
    for (size_t i = 0; i < s->n_jobs; i++) TRY(add_answers(out, r, stage, s->jobs[i], &fits, err));
    TRY(answer_lines_relate(out, err));
cleanup:
    answer_fits_destroy(&fits);
    key_columns_release(&keys);
    return rc;
}
