#include "run/tables/answer_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "methods/method.h"
#include "passes/answer_scores.h"
#include "run/plan/varying_keys.h"
#include "run/tables/key_columns.h"
#include "stats/bootstrap.h"
#include "store/artifact.h"
#include "tensorfile/tensorfile.h"

static const double CONFIDENCE = 0.95;
enum { RESAMPLES = 2000 };

static bool same_text(const struct text *a, const struct text *b) {
    return strcmp(text_str(a), text_str(b)) == 0;
}

bool answer_line_same_task(const struct answer_line *a, const struct answer_line *b) {
    return strcmp(a->source, b->source) == 0 && same_text(&a->setting, &b->setting);
}

bool answer_line_same_method(const struct answer_line *a, const struct answer_line *b) {
    return same_text(&a->method, &b->method) && same_text(&a->fit, &b->fit);
}

static void line_release(struct answer_line *line) {
    text_release(&line->method);
    text_release(&line->fit);
    text_release(&line->setting);
    free(line->first);
    free(line->right);
    free(line->loss);
}

void answer_lines_release(struct answer_lines *a) {
    for (size_t i = 0; i < a->n; i++) line_release(&a->list[i]);
    free(a->list);
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

/* The table has the task and the shots in places of their own. */
static bool is_placed(const struct key_column *column) {
    return strcmp(column->key->name, "source.task") == 0 ||
           (column->own && strcmp(column->key->name, "points") == 0) ||
           strcmp(column->key->name, "shift") == 0;
}

static void describe_keys(struct answer_line *line, const struct plan *p, size_t job,
                          const struct key_columns *keys) {
    for (size_t i = 0; i < keys->n; i++) {
        const struct key_column *column = &keys->list[i];
        const struct config_point *point = key_column_point(p, job, column);
        struct text *out = column->own ? &line->setting : &line->fit;
        if (is_placed(column) || !point || !config_has(point, column->key->name)) continue;
        text_add(out, "%s%s=", out->size ? ", " : "", column->key->name);
        varying_keys_value(out, point, column->key->name);
    }
}

static void describe_line(struct answer_line *line, const struct cells *c) {
    const char *method = cell_words(c, "method"), *reading = cell_words(c, "reading");
    const struct method *m = method_find(method);
    text_add(&line->method, "%s%s%s", method, reading[0] ? " " : "", reading);
    line->source = cell_words(c, "source");
    line->k = cell_number(c, "k");
    line->shift = cell_words(c, "shift");
    line->kind = strcmp(method, "plain") == 0 ? ANSWER_BASELINE
                 : m && m->docs.control       ? ANSWER_CONTROL
                                              : ANSWER_VECTOR;
}

/* ---- its numbers */

static enum err_code allocate_numbers(struct answer_line *line, size_t n, struct err *err) {
    line->items = n;
    line->repeats = 1;
    line->first = calloc(n, sizeof *line->first);
    line->right = calloc(n, sizeof *line->right);
    line->loss = calloc(n, sizeof *line->loss);
    if (line->first && line->right && line->loss) return ERR_OK;
    return ERR(err, ERR_MEMORY, "no memory for the scores of %zu items", n);
}

static enum err_code read_scores(struct answer_line *line, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    float *scores = NULL;
    TRY(tensorfile_open(&file, path, err));
    const struct tensor_info *t = tensorfile_find(file, "scores");
    CHECK(t && t->rank == 2 && t->shape[0] > 0 && t->shape[1] == ANSWER_SCORE_COUNT, ERR_DATA,
          "%s: no tensor scores [items, %d]", path, (int)ANSWER_SCORE_COUNT);
    scores = malloc(t->elements * sizeof *scores);
    CHECK(scores, ERR_MEMORY, "no memory for %zu scores", t->elements);
    TRY(tensorfile_floats(scores, file, "scores", 2, t->shape, err));
    TRY(allocate_numbers(line, t->shape[0], err));
    for (size_t i = 0; i < line->items; i++) {
        const float *s = scores + i * ANSWER_SCORE_COUNT;
        line->first[i] = (double)s[ANSWER_FIRST_RIGHT];
        line->right[i] = (double)s[ANSWER_RIGHT];
        line->loss[i] = -(double)s[ANSWER_LOG_PROB] / (double)s[ANSWER_TOKENS];
    }
cleanup:
    free(scores);
    tensorfile_close(file);
    return rc;
}

static enum err_code append(double **to, const double *x, size_t repeats, size_t items,
                            struct err *err) {
    double *longer = realloc(*to, (repeats + 1) * items * sizeof *longer);
    if (!longer) return ERR(err, ERR_MEMORY, "no memory for %zu repeats", repeats + 1);
    *to = longer;
    memcpy(longer + repeats * items, x, items * sizeof *x);
    return ERR_OK;
}

static enum err_code append_scores(struct answer_line *to, const struct answer_line *line,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(append(&to->first, line->first, to->repeats, to->items, err));
    TRY(append(&to->right, line->right, to->repeats, to->items, err));
    TRY(append(&to->loss, line->loss, to->repeats, to->items, err));
    to->repeats++;
cleanup:
    return rc;
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
        rc = append_scores(&a->list[i], line, err);
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

static enum err_code add_answers(struct answer_lines *a, const struct run_state *r, size_t stage,
                                 size_t job, const struct key_columns *keys, struct err *err) {
    enum err_code rc = ERR_OK;
    struct answer_line line = {0};
    char path[FILE_PATH_MAX];
    const struct run_state_job *known = &r->jobs[job];
    a->missing += known->state != QUEUE_DONE;
    if (known->state != QUEUE_DONE || known->past->n_rows == 0) return ERR_OK;
    const struct cells c = {plan_stage_columns(&r->plan, stage), &known->past->rows[0]};
    describe_line(&line, &c);
    describe_keys(&line, &r->plan, job, keys);
    TRY(artifact_path(path, r->dir, r->plan.jobs[job].identity, err));
    TRY(read_scores(&line, path, err));
    TRY(text_check(&line.method, err));
    return add_line(a, &line, err);
cleanup:
    line_release(&line);
    return rc;
}

enum err_code answer_lines_make(struct answer_lines *out, const struct run_state *r, size_t stage,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct key_columns keys = {0};
    const struct plan_stage *s = &r->plan.stages[stage];
    out->resampler = (struct resampler){.seed = 1, .resamples = RESAMPLES};
    TRY(key_columns_of_stage(&keys, &r->plan, stage, err));
    for (size_t i = 0; i < s->n_jobs; i++) TRY(add_answers(out, r, stage, s->jobs[i], &keys, err));
cleanup:
    key_columns_release(&keys);
    return rc;
}

/* ---- numbers of a line */

enum err_code answer_line_mean(struct interval *out, struct answer_lines *a,
                               const struct answer_line *line, const double *x, struct err *err) {
    enum err_code rc = ERR_OK;
    struct resamples resamples;
    *out = interval_t(x, line->items, CONFIDENCE);
    if (line->repeats == 1) return ERR_OK;
    TRY(resampler_get(&resamples, &a->resampler, line->repeats, line->items, err));
    TRY(bootstrap_mean(out, x, &resamples, CONFIDENCE, err));
cleanup:
    return rc;
}

static double mean_right(const struct answer_line *line) {
    double sum = 0;
    for (size_t i = 0; i < line->repeats * line->items; i++) sum += line->right[i];
    return sum / (double)(line->repeats * line->items);
}

static const struct answer_line *find_plain(const struct answer_lines *a,
                                            const struct answer_line *of, int64_t k,
                                            const char *shift) {
    for (size_t i = 0; i < a->n; i++) {
        const struct answer_line *line = &a->list[i];
        if (line->kind == ANSWER_BASELINE && answer_line_same_task(line, of) && line->k == k &&
            strcmp(line->shift, shift) == 0)
            return line;
    }
    return NULL;
}

double answer_lines_shuffled_share(const struct answer_lines *a, const struct answer_line *of) {
    double share = (double)NAN;
    int64_t most = 0;
    for (size_t i = 0; i < a->n; i++) {
        const int64_t k = a->list[i].k;
        const struct answer_line *clean = find_plain(a, of, k, "none"),
                                 *shuffled = find_plain(a, of, k, "shuffled_labels");
        if (k <= most || !clean || !shuffled) continue;
        most = k;
        share = mean_right(clean) > 0 ? mean_right(shuffled) / mean_right(clean) : (double)NAN;
    }
    return share;
}

double answer_lines_worse(const struct answer_lines *a, const struct answer_line *of) {
    const struct answer_line *plain = find_plain(a, of, of->k, of->shift);
    size_t worse = 0;
    if (!plain || plain == of || plain->items != of->items) return (double)NAN;
    for (size_t i = 0; i < of->repeats * of->items; i++)
        worse += of->loss[i] > plain->loss[i % of->items];
    return (double)worse / (double)(of->repeats * of->items);
}
