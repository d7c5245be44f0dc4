#include "activations/basis_text.h"

#include <assert.h>
#include <string.h>

#include "ops/vector_ops.h"

/* ---- steps */

static size_t rows_of(size_t answer, size_t chunk) { return chunk * (answer + 1); }

enum err_code basis_text_steps_create(struct basis_text_steps *t, const struct model_dims *d,
                                      size_t tokens, size_t answer, size_t chunk, struct err *err) {
    enum err_code rc = ERR_OK;
    *t = (struct basis_text_steps){0};
    unembed_lay_out(&t->norm, &t->memory, d, 2, false);
    TRY(arena_commit(&t->memory, err));
    unembed_lay_out(&t->norm, &t->memory, d, 2, false);
    TRY(prompt_rows_create(&t->rows, d, rows_of(answer, chunk), err));
    TRY(query_create_long(&t->query, d, rows_of(answer, chunk), tokens, answer, false, err));
cleanup:
    if (rc != ERR_OK) basis_text_steps_destroy(t);
    return rc;
}

void basis_text_steps_destroy(struct basis_text_steps *t) {
    query_destroy(&t->query);
    prompt_rows_destroy(&t->rows);
    arena_release(&t->memory);
    *t = (struct basis_text_steps){0};
}

size_t basis_text_steps_bytes(const struct model_dims *d, size_t tokens, size_t answer,
                              size_t chunk) {
    return prompt_rows_bytes(d, rows_of(answer, chunk)) +
           query_bytes_long(d, rows_of(answer, chunk), tokens, answer, false) +
           2 * (d->E + 2) * sizeof(float);
}

/* Row `row` of the set: the states of query row `last` minus those of `query`. */
static void take_step(struct basis_set *s, size_t row, const struct basis_text_steps *t,
                      const struct params *p, size_t query, size_t last) {
    const size_t E = s->dims.E, L = s->dims.L, layer = t->query.capacity * E;
    float *to = s->part[BASIS_STEP] + row * E;
    for (size_t i = 0; i < L; i++)
        for (size_t e = 0; e < E; e++)
            to[i * s->n * E + e] =
                t->query.x[i * layer + last * E + e] - t->query.x[i * layer + query * E + e];
    const struct unembed second = {
        .norm = t->norm.norm + E, .mean = t->norm.mean + 1, .rstd = t->norm.rstd + 1};
    unembed_norm(&t->norm, p, t->query.x + L * layer + last * E, 1);
    unembed_norm(&second, p, t->query.x + L * layer + query * E, 1);
    for (size_t e = 0; e < E; e++) to[L * s->n * E + e] = t->norm.norm[e] - second.norm[e];
}

void basis_text_take_steps(struct basis_set *s, size_t first, struct basis_text_steps *t,
                           const struct prompt_batch *b, const struct params *p,
                           const struct prompt_view *part) {
    size_t R = 0;
    for (size_t i = 0; i < part->n; i++) R += prompt_rows_read_answer(&t->rows, R, i, part, i);
    const struct query_rows rows = prompt_rows_of(&t->rows, R);
    query_forward(&t->query, p, &b->context, &rows, &(struct edits){0});
    for (size_t i = 0, query = 0; i < part->n; i++) {
        const size_t last = query + prompt_view_answer_length(part, i);
        take_step(s, first + i, t, p, query, last);
        query = last + 1;
    }
}

/* ---- the last tokens before an answer */

/* The j-th token of prompt i before which no answer, and after which an answer begins, from the
 * last one backwards; PROMPT_NO_TARGET: there are fewer. */
static uint32_t token_before_answer(const struct prompt_view *p, size_t i, size_t j) {
    const uint32_t *next = p->text.next + p->text.first[i];
    size_t t = prompt_view_length(p, i) - 1;
    assert(p->text.next);
    while (j > 0 && t-- > 0)
        j -= next[t] != PROMPT_NO_TARGET && (t == 0 || next[t - 1] == PROMPT_NO_TARGET);
    return j > 0 ? PROMPT_NO_TARGET : (uint32_t)t;
}

static size_t count_before_answers(const struct prompt_view *p, size_t i, size_t most) {
    size_t n = 1;
    while (n < most && token_before_answer(p, i, n) != PROMPT_NO_TARGET) n++;
    return n;
}

/* One query row for each prompt that has a j-th such token, in the slot of the prompt. */
static size_t ask_before_answer(struct prompt_rows *r, const struct prompt_view *p, size_t j) {
    size_t R = 0;
    for (size_t i = 0; i < p->n; i++) {
        const uint32_t t = token_before_answer(p, i, j);
        if (t != PROMPT_NO_TARGET) prompt_rows_read_token(r, R++, i, p, i, t);
    }
    return R;
}

void basis_text_take_recent(struct basis_set *s, size_t first, size_t recent,
                            struct prompt_batch *b, struct query *q, const struct params *p,
                            const struct prompt_view *part) {
    const size_t E = s->dims.E;
    for (size_t l = 0; l < s->dims.L; l++)
        memset(s->part[BASIS_RECENT] + (l * s->n + first) * E, 0, part->n * E * sizeof(float));
    for (size_t j = 0; j < recent; j++) {
        const size_t R = ask_before_answer(&b->rows, part, j);
        const struct query_rows rows = prompt_rows_of(&b->rows, R);
        if (R == 0) return;
        query_forward(q, p, &b->context, &rows, &(struct edits){0});
        for (size_t r = 0; r < R; r++) {
            const size_t i = rows.slot[r];
            const float share = 1.0F / (float)count_before_answers(part, i, recent);
            for (size_t l = 0; l < s->dims.L; l++)
                vector_axpy(s->part[BASIS_RECENT] + (l * s->n + first + i) * E, share,
                            q->a + (l * q->capacity + r) * E, E);
        }
    }
}
