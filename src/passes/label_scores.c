#include "passes/label_scores.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum err_code label_scores_create(struct label_scores *s, const struct model_dims *dims,
                                  size_t most, struct err *err) {
    *s = (struct label_scores){.most = most, .E = dims->E};
    s->x = calloc(most * dims->E, sizeof *s->x);
    s->first = calloc(most, sizeof *s->first);
    s->labels = calloc(most, sizeof *s->labels);
    if (s->x && s->first && s->labels) return ERR_OK;
    label_scores_destroy(s);
    return ERR(err, ERR_MEMORY, "no memory for the labels of %zu prompts", most);
}

void label_scores_destroy(struct label_scores *s) {
    free(s->x);
    free(s->first);
    free(s->labels);
    free(s->log_prob);
    *s = (struct label_scores){0};
}

/* Every prompt may have a label of its own, whose row of the output matrix is copied. */
size_t label_scores_bytes(const struct model_dims *dims, size_t most) {
    return most * (2 * dims->E + most) * sizeof(float) + 2 * most * sizeof(uint32_t);
}

void label_scores_take(struct label_scores *s, const struct query *q,
                       const struct prompt_rows *rows, size_t R) {
    const float *x = query_output(q);
    for (size_t r = 0; r < R; r++) {
        if (rows->earlier[r] > 0) continue; /* a later token of an answer */
        assert(s->n < s->most);
        memcpy(s->x + s->n * s->E, x + r * s->E, s->E * sizeof *s->x);
        s->first[s->n++] = rows->wanted[r];
    }
}

static int by_token(const void *a, const void *b) {
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void find_labels(struct label_scores *s) {
    memcpy(s->labels, s->first, s->n * sizeof *s->labels);
    qsort(s->labels, s->n, sizeof *s->labels, by_token);
    s->n_labels = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->n_labels == 0 || s->labels[s->n_labels - 1] != s->labels[i])
            s->labels[s->n_labels++] = s->labels[i];
}

/* Logits [n] become log probabilities. */
static void normalise(float *x, size_t n) {
    double most = (double)x[0], sum = 0;
    for (size_t i = 1; i < n; i++) most = fmax(most, (double)x[i]);
    for (size_t i = 0; i < n; i++) sum += exp((double)x[i] - most);
    for (size_t i = 0; i < n; i++) x[i] = (float)((double)x[i] - most - log(sum));
}

enum err_code label_scores_make(struct label_scores *s, struct vocabulary *v,
                                const struct params *p, struct err *err) {
    enum err_code rc = ERR_OK;
    float *rows = NULL;
    find_labels(s);
    rows = malloc((s->n_labels * s->E + 1) * sizeof *rows);
    s->log_prob = malloc((s->n * s->n_labels + 1) * sizeof *s->log_prob);
    CHECK(rows && s->log_prob, ERR_MEMORY, "no memory for %zu labels of %zu prompts", s->n_labels,
          s->n);
    for (size_t first = 0, R; first < s->n; first += R) {
        R = s->n - first < v->capacity ? s->n - first : v->capacity;
        vocabulary_logits_of(s->log_prob + first * s->n_labels, v, p, s->x + first * s->E,
                             s->labels, s->n_labels, rows, R);
    }
    for (size_t i = 0; i < s->n; i++) normalise(s->log_prob + i * s->n_labels, s->n_labels);
cleanup:
    free(rows);
    return rc;
}
