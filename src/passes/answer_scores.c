#include "passes/answer_scores.h"

#include <assert.h>

static void answer_scores_lay_out(struct answer_scores *s) {
    s->log_prob =
        (double *)(void *)arena_floats(&s->memory, s->rows * sizeof(double) / sizeof(float));
    s->rank = (uint32_t *)(void *)arena_floats(&s->memory, s->rows);
}

enum err_code answer_scores_create(struct answer_scores *s, const struct model_dims *dims,
                                   size_t rows, struct err *err) {
    enum err_code rc = ERR_OK;
    *s = (struct answer_scores){.rows = rows};
    answer_scores_lay_out(s);
    TRY(arena_commit(&s->memory, err));
    answer_scores_lay_out(s);
    TRY(vocabulary_create(&s->vocabulary, dims, rows, false, err));
cleanup:
    if (rc != ERR_OK) answer_scores_destroy(s);
    return rc;
}

void answer_scores_destroy(struct answer_scores *s) {
    vocabulary_destroy(&s->vocabulary);
    arena_release(&s->memory);
    *s = (struct answer_scores){0};
}

size_t answer_scores_bytes(const struct model_dims *dims, size_t rows) {
    struct answer_scores s = {.rows = rows};
    answer_scores_lay_out(&s);
    return s.memory.used + vocabulary_bytes(dims, rows, false);
}

/* The answer whose rows are first .. next - 1. */
static void score_answer(float out[ANSWER_SCORE_COUNT], const struct answer_scores *s, size_t first,
                         size_t next) {
    double log_prob = 0;
    bool right = true;
    for (size_t r = first; r < next; r++) {
        log_prob += s->log_prob[r];
        right = right && vocabulary_is_correct(&s->vocabulary, r);
    }
    out[ANSWER_FIRST_LOG_PROB] = (float)s->log_prob[first];
    out[ANSWER_LOG_PROB] = (float)log_prob;
    out[ANSWER_TOKENS] = (float)(next - first);
    out[ANSWER_FIRST_RIGHT] = vocabulary_is_correct(&s->vocabulary, first);
    out[ANSWER_RIGHT] = out[ANSWER_STRIPPED] = right;
    out[ANSWER_RANK] = 1 + (float)s->rank[first];
    out[ANSWER_FIRST_TOKEN] = (float)vocabulary_best(&s->vocabulary, first);
}

void answer_scores_take(float *out, struct answer_scores *s, const struct query *q,
                        const struct params *p, const struct prompt_rows *rows, size_t R) {
    assert(R <= s->rows);
    vocabulary_log_prob(s->log_prob, &s->vocabulary, p, query_output(q), rows->wanted, R);
    vocabulary_rank(s->rank, &s->vocabulary, p, R);
    for (size_t first = 0, next; first < R; first = next, out += ANSWER_SCORE_COUNT) {
        for (next = first + 1; next < R && rows->earlier[next] > 0;) next++;
        score_answer(out, s, first, next);
    }
}
