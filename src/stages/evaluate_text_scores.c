#include "stages/evaluate_text_scores.h"

#include <math.h>
#include <stdlib.h>

#include "config/config.h"
#include "stats/interval.h"

enum err_code evaluate_text_scores_create(struct evaluate_text_scores *s,
                                          const struct model_dims *dims,
                                          const struct evaluate_text_sizes *sizes,
                                          struct err *err) {
    enum err_code rc = ERR_OK;
    *s = (struct evaluate_text_scores){.items = sizes->items};
    TRY(answer_scores_create(&s->answers, dims, sizes->rows, err));
    TRY(label_scores_create(&s->labels, dims, sizes->items, err));
    s->scores = calloc(sizes->items * ANSWER_SCORE_COUNT, sizeof *s->scores);
    s->samples = calloc(sizes->items, sizeof *s->samples);
    s->predicted = calloc(sizes->rows, sizeof *s->predicted);
    CHECK(s->scores && s->samples && s->predicted, ERR_MEMORY,
          "no memory for the scores of %zu items", sizes->items);
cleanup:
    if (rc != ERR_OK) evaluate_text_scores_destroy(s);
    return rc;
}

void evaluate_text_scores_destroy(struct evaluate_text_scores *s) {
    free(s->predicted);
    free(s->samples);
    free(s->scores);
    label_scores_destroy(&s->labels);
    answer_scores_destroy(&s->answers);
    *s = (struct evaluate_text_scores){0};
}

double evaluate_text_scores_bytes(const struct model_dims *dims,
                                  const struct evaluate_text_sizes *sizes) {
    return (double)answer_scores_bytes(dims, sizes->rows) +
           (double)label_scores_bytes(dims, sizes->items) +
           (double)(sizes->items * (ANSWER_SCORE_COUNT + 1) + sizes->rows) * sizeof(float);
}

/* ---- items */

/* Prompt i of the draw, whose rows are first .. next - 1: do the predicted tokens, each after the
 * true ones before it, read as its answer? */
static enum err_code read_answer(struct evaluate_text_scores *s, const struct source *source,
                                 size_t i, size_t first, size_t next, struct err *err) {
    enum err_code rc = ERR_OK;
    float *scores = s->scores + (s->n + i) * ANSWER_SCORE_COUNT;
    bool alike = true;
    if (scores[ANSWER_RIGHT] == 1) return ERR_OK;
    for (size_t r = first; r < next; r++)
        s->predicted[r - first] = vocabulary_best(&s->answers.vocabulary, r);
    TRY(source_reads_as_answer(&alike, source, i, s->predicted, next - first, err));
    scores[ANSWER_STRIPPED] = alike;
cleanup:
    return rc;
}

enum err_code evaluate_text_scores_take(struct evaluate_text_scores *s, const struct source *source,
                                        const struct query *q, const struct params *p,
                                        const struct prompt_rows *rows, size_t R, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t i = 0;
    answer_scores_take(s->scores + s->n * ANSWER_SCORE_COUNT, &s->answers, q, p, rows, R);
    label_scores_take(&s->labels, q, rows, R);
    for (size_t first = 0, next; first < R; first = next, i++) {
        for (next = first + 1; next < R && rows->earlier[next] > 0;) next++;
        s->samples[s->n + i] = (float)source_question(source, i).sample;
        TRY(read_answer(s, source, i, first, next, err));
    }
    s->n += i;
cleanup:
    return rc;
}

/* ---- results */

/* Mean cross entropy of a token of item i's answer. */
static double loss_of(const struct evaluate_text_scores *s, size_t i) {
    const float *scores = s->scores + i * ANSWER_SCORE_COUNT;
    return -(double)scores[ANSWER_LOG_PROB] / (double)scores[ANSWER_TOKENS];
}

static struct interval interval_of(const struct evaluate_text_scores *s, double *column,
                                   enum answer_score which, double confidence) {
    for (size_t i = 0; i < s->n; i++) column[i] = (double)s->scores[i * ANSWER_SCORE_COUNT + which];
    return interval_t(column, s->n, confidence);
}

static void fill_means(struct evaluate_text_row *row, const struct evaluate_text_scores *s,
                       double *column, double confidence) {
    const struct interval first = interval_of(s, column, ANSWER_FIRST_RIGHT, confidence),
                          whole = interval_of(s, column, ANSWER_RIGHT, confidence),
                          stripped = interval_of(s, column, ANSWER_STRIPPED, confidence);
    double loss = 0, perplexity = 0;
    for (size_t i = 0; i < s->n; i++) {
        loss += loss_of(s, i);
        perplexity += exp(loss_of(s, i));
    }
    row->first_accuracy = first.value, row->first_low = first.low, row->first_high = first.high;
    row->accuracy = whole.value, row->accuracy_low = whole.low, row->accuracy_high = whole.high;
    row->stripped = stripped.value;
    row->stripped_low = stripped.low, row->stripped_high = stripped.high;
    row->loss = loss / (double)s->n;
    row->perplexity = perplexity / (double)s->n;
    row->rank = interval_of(s, column, ANSWER_RANK, confidence).value;
}

static enum err_code write_row(struct evaluate_text_scores *s, struct job_ctx *ctx,
                               struct evaluate_text_row *row, struct err *err) {
    enum err_code rc = ERR_OK;
    double *column = calloc(s->n, sizeof *column);
    CHECK(column, ERR_MEMORY, "no memory for %zu items", s->n);
    row->items = (int64_t)s->n;
    row->left_out = (int64_t)(s->items - s->n);
    fill_means(row, s, column, config_float(ctx->point, "confidence"));
    CHECK(isfinite(row->loss), ERR_NUMERIC, "the loss of %s is not a finite number", row->method);
    TRY(evaluate_text_row_write(ctx, 0, row, err));
cleanup:
    free(column);
    return rc;
}

/* Token ids are below 2^24, so that floats are exact. */
static enum err_code write_labels(struct evaluate_text_scores *s, struct job_ctx *ctx,
                                  const struct params *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct label_scores *l = &s->labels;
    float *ids = NULL;
    TRY(label_scores_make(l, &s->answers.vocabulary, p, err));
    ids = calloc(l->n_labels, sizeof *ids);
    CHECK(ids, ERR_MEMORY, "no memory for %zu labels", l->n_labels);
    for (size_t i = 0; i < l->n_labels; i++) ids[i] = (float)l->labels[i];
    TRY(job_tensor(ctx, &(struct job_tensor){"labels", 1, {l->n_labels}, ids}, err));
    TRY(job_tensor(ctx, &(struct job_tensor){"label_log_prob", 2, {l->n, l->n_labels}, l->log_prob},
                   err));
cleanup:
    free(ids);
    return rc;
}

enum err_code evaluate_text_scores_write(struct evaluate_text_scores *s, struct job_ctx *ctx,
                                         struct evaluate_text_row *row, const struct params *p,
                                         struct err *err) {
    enum err_code rc = ERR_OK;
    const struct job_tensor scores = {"scores", 2, {s->n, ANSWER_SCORE_COUNT}, s->scores};
    const struct job_tensor samples = {"samples", 1, {s->n}, s->samples};
    TRY(write_row(s, ctx, row, err));
    TRY(job_tensor(ctx, &scores, err));
    TRY(job_tensor(ctx, &samples, err));
    TRY(write_labels(s, ctx, p, err));
cleanup:
    return rc;
}
