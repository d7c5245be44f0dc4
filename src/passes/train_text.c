#include "passes/train_text.h"

#include <assert.h>
#include <string.h>

/* Rows whose logits are made at a time: enough for products at full speed, few enough for tiles of
 * logits to stay in cache. The bits depend on it. */
enum { CHUNK = 512 };

static uint32_t *lay_out_words(struct arena *a, size_t n) {
    return (uint32_t *)(void *)arena_floats(a, n);
}

static void lay_out_text(struct train_text *s, const struct model_dims *d, size_t n) {
    const size_t T = n * d->positions;
    s->ids = lay_out_words(&s->memory, T);
    s->target = lay_out_words(&s->memory, T);
    s->length = lay_out_words(&s->memory, n);
    s->row = lay_out_words(&s->memory, T);
    s->own = lay_out_words(&s->memory, CHUNK);
    s->x = arena_floats(&s->memory, CHUNK * d->E);
    s->dx = arena_floats(&s->memory, CHUNK * d->E);
    s->dlast = arena_floats(&s->memory, T * d->E);
}

enum err_code train_text_create(struct train_text *s, const struct model_dims *dims, size_t n,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    *s = (struct train_text){0};
    lay_out_text(s, dims, n);
    TRY(arena_commit(&s->memory, err));
    lay_out_text(s, dims, n);
    TRY(vocabulary_create(&s->vocabulary, dims, CHUNK, true, err));
    TRY(forward_create(&s->forward, dims, n, dims->positions, true, err));
cleanup:
    if (rc != ERR_OK) train_text_destroy(s);
    return rc;
}

void train_text_destroy(struct train_text *s) {
    forward_destroy(&s->forward);
    vocabulary_destroy(&s->vocabulary);
    arena_release(&s->memory);
    *s = (struct train_text){0};
}

size_t train_text_bytes(const struct model_dims *dims, size_t n) {
    struct train_text s = {0};
    lay_out_text(&s, dims, n);
    return s.memory.used + vocabulary_bytes(dims, CHUNK, true) +
           forward_bytes(dims, n, dims->positions, true);
}

size_t train_text_answers(const struct prompt_view *prompts) {
    const struct prompt_text *t = &prompts->text;
    size_t answers = t->answer_first[prompts->n] - t->answer_first[0];
    for (size_t i = t->first[0]; i < t->first[prompts->n]; i++)
        answers += t->next[i] != PROMPT_NO_TARGET;
    return answers;
}

/* The sequence of prompt i, from token `at` on: the prompt, and its answer but for the last token.
 * Returns its length. */
static size_t add_sequence(struct train_text *s, size_t at, const struct prompt_text *t, size_t i) {
    const size_t n = t->first[i + 1] - t->first[i];
    const size_t m = t->answer_first[i + 1] - t->answer_first[i];
    const uint32_t *answer = t->answers + t->answer_first[i];
    uint32_t *ids = s->ids + at, *target = s->target + at;
    assert(n > 0 && m > 0 && n + m - 1 <= s->forward.length);
    memcpy(ids, t->ids + t->first[i], n * sizeof *ids);
    memcpy(target, t->next + t->first[i], n * sizeof *target);
    memcpy(ids + n, answer, (m - 1) * sizeof *ids);
    memcpy(target + n - 1, answer, m * sizeof *target);
    return n + m - 1;
}

static struct forward_ids make_sequences(struct train_text *s, const struct prompt_view *part) {
    size_t at = 0;
    for (size_t i = 0; i < part->n; i++) {
        const size_t n = add_sequence(s, at, &part->text, i);
        s->length[i] = (uint32_t)n;
        at += n;
    }
    return (struct forward_ids){.B = part->n, .length = s->length, .ids = s->ids};
}

/* Fills row with the tokens that predict and returns their number. */
static size_t find_rows(struct train_text *s) {
    size_t n = 0;
    for (uint32_t t = 0; t < s->forward.T_run; t++)
        if (s->target[t] != PROMPT_NO_TARGET) s->row[n++] = t;
    return n;
}

/* s->x and s->own: rows first .. first + n - 1 of s->row. */
static void take_rows(struct train_text *s, size_t first, size_t n) {
    const size_t E = s->forward.dims.E;
    const float *last = forward_x(&s->forward, s->forward.dims.L);
    for (size_t i = 0; i < n; i++) {
        const size_t t = s->row[first + i];
        memcpy(s->x + i * E, last + t * E, E * sizeof *s->x);
        s->own[i] = s->target[t];
    }
}

/* The query of a prompt is the token before its answer. */
static void count_correct(struct train_text *s, const struct prompt_view *part, size_t first,
                          size_t n) {
    const struct prompt_text *t = &part->text;
    size_t i = 0, query = t->first[1] - t->first[0] - 1, begin = 0;
    for (size_t r = 0; r < n; r++) {
        const size_t at = s->row[first + r];
        for (; at > query && i + 1 < part->n; i++) {
            begin += s->length[i];
            query = begin + t->first[i + 2] - t->first[i + 1] - 1;
        }
        const bool right = vocabulary_is_correct(&s->vocabulary, r);
        s->score.correct += right;
        s->score.queries += right && at == query;
    }
}

static double chunk_loss(struct train_text *s, const struct params *p, size_t n) {
    double log_prob[CHUNK], sum = 0;
    vocabulary_log_prob(log_prob, &s->vocabulary, p, s->x, s->own, n);
    for (size_t i = 0; i < n; i++) sum -= log_prob[i];
    return sum;
}

static double chunk_gradient(struct params *gradient, struct train_text *s, const struct params *p,
                             size_t first, size_t n, double weight) {
    const size_t E = s->forward.dims.E;
    const double loss =
        vocabulary_cross_entropy(s->dx, gradient, &s->vocabulary, p, s->x, s->own, weight, n);
    for (size_t i = 0; i < n; i++)
        memcpy(s->dlast + s->row[first + i] * E, s->dx + i * E, E * sizeof *s->dx);
    return loss;
}

/* gradient NULL: the loss alone. */
static double run_part(struct params *gradient, struct train_text *s, const struct params *p,
                       const struct prompt_view *part, double weight) {
    double loss = 0;
    s->score = (struct train_score){0};
    if (part->n == 0) return 0;
    const struct forward_ids ids = make_sequences(s, part);
    forward_run_ids(&s->forward, p, &ids);
    const size_t rows = find_rows(s), E = s->forward.dims.E;
    if (gradient) memset(s->dlast, 0, s->forward.T_run * E * sizeof *s->dlast);
    for (size_t first = 0; first < rows; first += CHUNK) {
        const size_t n = rows - first < CHUNK ? rows - first : CHUNK;
        take_rows(s, first, n);
        loss += gradient ? chunk_gradient(gradient, s, p, first, n, weight)
                         : weight * chunk_loss(s, p, n);
        count_correct(s, part, first, n);
    }
    if (gradient) forward_backward_ids(gradient, &s->forward, p, &ids, s->dlast);
    return loss;
}

double train_text_run(struct params *gradient, struct train_text *s, const struct params *p,
                      const struct prompt_view *part, double weight) {
    return run_part(gradient, s, p, part, weight);
}

double train_text_loss(struct train_text *s, const struct params *p, const struct prompt_view *part,
                       double weight) {
    return run_part(NULL, s, p, part, weight);
}
