#include "run/verify/verify_pretrained.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/forward.h"
#include "model/vocabulary.h"
#include "run/verify/verify_file.h"
#include "run/verify/verify_reference.h"

/* ---- comparisons */

enum err_code pretrained_floats(struct fixture_array *out, const struct text_reference *t,
                                const char *name, size_t n, struct err *err) {
    char exact[128];
    (void)snprintf(exact, sizeof exact, "float64/%s", name);
    return verify_reference_floats(out, t->file, fixture_has(t->file, exact) ? exact : name, n,
                                   err);
}

enum err_code pretrained_compare(const struct text_reference *t, const char *part, const char *name,
                                 const float *got, size_t n, enum tolerance tolerance,
                                 struct err *err) {
    struct fixture_array want = {0};
    enum err_code rc = pretrained_floats(&want, t, name, n, err);
    if (rc != ERR_OK) return rc;
    rc = verify_floats(t->report, part, name, got, want.floats, n, tolerance, err);
    fixture_array_release(&want);
    return rc;
}

static double largest(const float *x, size_t n) {
    double top = 0;
    for (size_t i = 0; i < n; i++) top = fmax(top, fabs((double)x[i]));
    return top;
}

enum err_code pretrained_rows(const struct text_reference *t, const char *part, const char *name,
                              const float *got, size_t rows, size_t width, enum tolerance tolerance,
                              struct err *err) {
    struct fixture_array want = {0};
    double worst = 0;
    enum err_code rc = pretrained_floats(&want, t, name, rows * width, err);
    if (rc != ERR_OK) return rc;
    for (size_t r = 0; r < rows; r++) {
        const float *row = want.floats + r * width;
        const double error = verify_max_error(got + r * width, row, width);
        worst = fmax(worst, error / fmax(largest(row, width), 1e-30));
    }
    rc = verify_error(t->report, part, name, worst, tolerance_bound(tolerance, 1), err);
    fixture_array_release(&want);
    return rc;
}

static double log_sum_exp(const float *x, size_t n) {
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) top = fmax(top, (double)x[i]);
    for (size_t i = 0; i < n; i++) sum += exp((double)x[i] - top);
    return top + log(sum);
}

/* How many logits are larger than that of the token at place k of the row ids [top]: its place. */
static size_t place_of(const float *logits, size_t V, int64_t id) {
    size_t larger = 0;
    for (size_t v = 0; v < V; v++) larger += logits[v] > logits[id];
    return larger;
}

/* Places of one row whose token is another one, where no neighbour is about as large. */
static size_t count_misplaced(const struct verify_report *r, const float *logits, size_t V,
                              const int64_t *ids, const float *want, size_t top) {
    const double near = 2 * verify_bound(r, TOLERANCE_PRETRAINED_LOGIT);
    size_t misplaced = 0;
    for (size_t k = 0; k + 1 < top; k++) {
        const bool apart = (k == 0 || (double)want[k - 1] - (double)want[k] > near) &&
                           (double)want[k] - (double)want[k + 1] > near;
        misplaced += apart && place_of(logits, V, ids[k]) != k;
    }
    return misplaced;
}

static enum err_code compare_top(const struct text_reference *t, const char *part,
                                 const char *group, const float *logits, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t V = t->params->dims.vocabulary;
    struct fixture_array ids = {0}, want = {0};
    char name[96];
    double error = 0;
    size_t misplaced = 0;
    (void)snprintf(name, sizeof name, "float64/%slogits_top_ids", group);
    TRY(fixture_integers(&ids, t->file, name, 2, err));
    (void)snprintf(name, sizeof name, "%slogits_top", group);
    TRY(pretrained_floats(&want, t, name, ids.n, err));
    const size_t top = ids.shape[1];
    CHECK(ids.shape[0] == t->B, ERR_DATA, "%s: %s: expected %zu rows", fixture_path(t->file), name,
          t->B);
    for (size_t i = 0; i < ids.n; i++) {
        CHECK(ids.integers[i] >= 0 && ids.integers[i] < (int64_t)V, ERR_DATA,
              "%s: %s: no such token", fixture_path(t->file), name);
        const float got = logits[i / top * V + (size_t)ids.integers[i]];
        error = fmax(error, fabs((double)got - (double)want.floats[i]));
    }
    TRY(verify_error(t->report, part, name, error, tolerance_bound(TOLERANCE_PRETRAINED_LOGIT, 1),
                     err));
    for (size_t b = 0; b < t->B; b++)
        misplaced += count_misplaced(t->report, logits + b * V, V, ids.integers + b * top,
                                     want.floats + b * top, top);
    (void)snprintf(name, sizeof name, "%slogits_top_ids", group);
    TRY(verify_count(t->report, part, name, misplaced, "", err));
cleanup:
    fixture_array_release(&want);
    fixture_array_release(&ids);
    return rc;
}

enum err_code pretrained_logits(const struct text_reference *t, const char *part, const char *group,
                                const float *logits, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t V = t->params->dims.vocabulary;
    char name[96];
    float *level = calloc(t->B, sizeof *level);
    CHECK(level, ERR_MEMORY, "no memory for %zu prompts", t->B);
    for (size_t b = 0; b < t->B; b++) level[b] = (float)log_sum_exp(logits + b * V, V);
    TRY(compare_top(t, part, group, logits, err));
    (void)snprintf(name, sizeof name, "%slogits_logsumexp", group);
    TRY(pretrained_compare(t, part, name, level, t->B, TOLERANCE_PRETRAINED_LOGIT, err));
cleanup:
    free(level);
    return rc;
}

/* ---- all positions */

/* Rows [T - 1] of one prompt: token t + 1 given those before. */
static enum err_code compare_positions(const struct text_reference *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    const size_t steps = t->T - 1;
    struct vocabulary v = {0};
    struct forward f = {0};
    double *exact = calloc(steps, sizeof *exact);
    float *log_prob = calloc(t->B * steps, sizeof *log_prob);
    CHECK(exact && log_prob, ERR_MEMORY, "no memory for %zu tokens", t->B * steps);
    TRY(vocabulary_create(&v, d, steps, false, err));
    TRY(forward_create(&f, d, 1, t->T, false, err));
    for (size_t b = 0; b < t->B; b++) {
        const struct forward_ids prompt = {1, t->length + b, t->ids + b * t->T};
        forward_run_ids(&f, t->params, &prompt);
        vocabulary_log_prob(exact, &v, t->params, forward_x(&f, d->L), prompt.ids + 1,
                            t->length[b] - 1);
        for (size_t i = 0; i + 1 < t->length[b]; i++) log_prob[b * steps + i] = (float)exact[i];
    }
    TRY(pretrained_compare(t, "core", "next_token_log_prob", log_prob, t->B * steps,
                           TOLERANCE_PRETRAINED_LOGIT, err));
cleanup:
    forward_destroy(&f);
    vocabulary_destroy(&v);
    free(log_prob);
    free(exact);
    return rc;
}

/* ---- the last tokens */

/* norm [B, E]: the last hidden state, after the final norm. */
static enum err_code compare_states(const struct text_reference *t, const struct query *q,
                                    const float *norm, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    const size_t B = t->B, L = d->L, Z = model_heads_width(d), E = d->E;
    float *heads = calloc(B * L * Z, sizeof *heads), *x = calloc(B * (L + 2) * E, sizeof *x);
    CHECK(heads && x, ERR_MEMORY, "no memory for the states of %zu prompts", B);
    float *after = x + B * (L + 1) * E;
    text_reference_by_prompt(heads, q->z, q, B, L, L, Z);
    TRY(pretrained_rows(t, "heads", "head_outputs_last_token", heads, B * L, Z,
                        TOLERANCE_PRETRAINED_HEADS, err));
    text_reference_by_prompt(x, q->x, q, B, L, L + 1, E);
    text_reference_by_prompt(x + L * E, norm, q, B, 1, L + 1, E);
    TRY(pretrained_rows(t, "hidden", "hidden_states_last_token", x, B * (L + 1), E,
                        TOLERANCE_PRETRAINED_STATES, err));
    text_reference_by_prompt(after, q->x + L * q->capacity * E, q, B, 1, 1, E);
    TRY(pretrained_rows(t, "hidden", "last_block_output", after, B, E, TOLERANCE_PRETRAINED_STATES,
                        err));
cleanup:
    free(heads);
    free(x);
    return rc;
}

static enum err_code compare_answers(const struct text_reference *t, const float *logits,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t V = t->params->dims.vocabulary;
    float *log_prob = calloc(t->B, sizeof *log_prob);
    CHECK(log_prob, ERR_MEMORY, "no memory for %zu prompts", t->B);
    for (size_t b = 0; b < t->B; b++) {
        const float *row = logits + b * V;
        log_prob[b] = (float)((double)row[t->target[b]] - log_sum_exp(row, V));
    }
    TRY(pretrained_logits(t, "logits", "", logits, err));
    TRY(pretrained_compare(t, "logits", "target_log_prob", log_prob, t->B,
                           TOLERANCE_PRETRAINED_LOGIT, err));
    if (t->B > 2)
        TRY(pretrained_compare(t, "logits", "first_task_row_logits", logits + 2 * V, V,
                               TOLERANCE_PRETRAINED_LOGIT, err));
cleanup:
    free(log_prob);
    return rc;
}

static enum err_code compare_queries(const struct text_reference *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct query q = {0};
    const struct model_dims *d = &t->params->dims;
    float *logits = calloc(t->B * d->vocabulary, sizeof *logits);
    float *norm = calloc(t->B * d->E, sizeof *norm);
    CHECK(logits && norm, ERR_MEMORY, "no memory for the logits of %zu prompts", t->B);
    TRY(query_create(&q, d, t->B, t->T - 1, false, err));
    query_forward(&q, t->params, &t->context, &t->rows, &(struct edits){0});
    TRY(text_reference_logits(logits, norm, t->params, query_output(&q), t->B, err));
    TRY(compare_answers(t, logits, err));
    TRY(compare_states(t, &q, norm, err));
cleanup:
    query_destroy(&q);
    free(norm);
    free(logits);
    return rc;
}

enum err_code verify_pretrained(struct verify_report *r, const struct fixture *f,
                                const struct params *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_reference t = {.report = r, .file = f, .params = p};
    TRY(text_reference_fill(&t, "", err));
    TRY(compare_positions(&t, err));
    TRY(compare_queries(&t, err));
    TRY(verify_pretrained_tasks(r, f, p, err));
cleanup:
    text_reference_release(&t);
    return rc;
}
