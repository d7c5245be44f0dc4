#include "sources/prompt_batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- tokens */

static void label_token(float *token, float y, size_t dims) {
    memset(token, 0, dims * sizeof *token);
    token[0] = y;
}

/* Pairs as tokens [2 pairs, dims]. */
static void pair_tokens(float *tokens, const float *x, const float *y, size_t pairs, size_t dims) {
    for (size_t k = 0; k < pairs; k++, tokens += 2 * dims) {
        memcpy(tokens, x + k * dims, dims * sizeof *tokens);
        label_token(tokens + dims, y[k], dims);
    }
}

void prompt_batch_sequences(float *tokens, const struct prompt_view *p, size_t points) {
    assert(points <= p->points);
    for (size_t i = 0; i < p->n; i++)
        pair_tokens(tokens + i * 2 * points * p->dims, prompt_view_x(p, i, 0), p->y + i * p->points,
                    points, p->dims);
}

/* ---- query rows */

enum { INDICES = 5 }; /* slot, length, ids, earlier, wanted */

static void lay_out_rows(struct prompt_rows *r) {
    r->x = arena_floats(&r->memory, r->capacity * r->width);
    r->target = arena_floats(&r->memory, r->capacity);
}

enum err_code prompt_rows_create(struct prompt_rows *r, const struct model_dims *dims,
                                 size_t capacity, struct err *err) {
    enum err_code rc = ERR_OK;
    *r = (struct prompt_rows){.capacity = capacity, .width = dims->inputs};
    r->slot = calloc(INDICES * capacity + 1, sizeof *r->slot);
    CHECK(r->slot, ERR_MEMORY, "no memory for %zu queries", capacity);
    r->length = r->slot + capacity;
    r->ids = r->length + capacity;
    r->earlier = r->ids + capacity;
    r->wanted = r->earlier + capacity;
    lay_out_rows(r);
    TRY(arena_commit(&r->memory, err));
    lay_out_rows(r);
cleanup:
    if (rc != ERR_OK) prompt_rows_destroy(r);
    return rc;
}

void prompt_rows_destroy(struct prompt_rows *r) {
    arena_release(&r->memory);
    free(r->slot);
    *r = (struct prompt_rows){0};
}

size_t prompt_rows_bytes(const struct model_dims *dims, size_t capacity) {
    struct prompt_rows r = {.capacity = capacity, .width = dims->inputs};
    lay_out_rows(&r);
    return r.memory.used + INDICES * capacity * sizeof *r.slot;
}

/* Sets slot and length of a row and returns where its token goes. */
static float *seat_row(struct prompt_rows *r, size_t row, struct prompt_seat at) {
    assert(row < r->capacity);
    r->slot[row] = (uint32_t)at.slot;
    r->length[row] = (uint32_t)at.length;
    r->earlier[row] = 0;
    return r->x + row * r->width;
}

/* Row `row` follows `earlier` tokens of the answer to prompt i. */
static void ask_token(struct prompt_rows *r, size_t row, size_t slot, const struct prompt_view *p,
                      size_t i, size_t earlier) {
    const size_t before = prompt_view_length(p, i) - 1;
    const uint32_t *answer = prompt_view_answer(p, i);
    (void)seat_row(r, row, (struct prompt_seat){slot, before});
    r->earlier[row] = (uint32_t)earlier;
    r->ids[row] = earlier == 0 ? prompt_view_ids(p, i)[before] : answer[earlier - 1];
    r->wanted[row] = answer[earlier];
}

size_t prompt_rows_ask_answer(struct prompt_rows *r, size_t row, size_t slot,
                              const struct prompt_view *p, size_t i) {
    const size_t n = prompt_view_answer_length(p, i);
    for (size_t j = 0; j < n; j++) ask_token(r, row + j, slot, p, i, j);
    return n;
}

void prompt_rows_read_token(struct prompt_rows *r, size_t row, size_t slot,
                            const struct prompt_view *p, size_t i, size_t t) {
    assert(t < prompt_view_length(p, i));
    (void)seat_row(r, row, (struct prompt_seat){slot, t});
    r->ids[row] = prompt_view_ids(p, i)[t];
}

size_t prompt_rows_read_answer(struct prompt_rows *r, size_t row, size_t slot,
                               const struct prompt_view *p, size_t i) {
    const size_t n = prompt_view_answer_length(p, i), before = prompt_view_length(p, i) - 1;
    prompt_rows_read_token(r, row, slot, p, i, before);
    for (size_t j = 0; j < n; j++) {
        (void)seat_row(r, row + 1 + j, (struct prompt_seat){slot, before});
        r->earlier[row + 1 + j] = (uint32_t)j + 1;
        r->ids[row + 1 + j] = prompt_view_answer(p, i)[j];
    }
    return n + 1;
}

void prompt_rows_ask(struct prompt_rows *r, size_t row, struct prompt_seat at,
                     const struct prompt_view *p, size_t i, size_t k) {
    assert(k < p->points && p->dims == r->width);
    if (p->text.ids) {
        assert(k + 1 == p->points);
        ask_token(r, row, at.slot, p, i, 0);
        return;
    }
    memcpy(seat_row(r, row, at), prompt_view_query(p, i, k), r->width * sizeof *r->x);
    r->target[row] = prompt_view_targets(p)[i * p->points + k];
}

void prompt_rows_ask_label(struct prompt_rows *r, size_t row, struct prompt_seat at,
                           const struct prompt_view *p, size_t i, size_t k) {
    assert(k < p->points && p->dims == r->width);
    label_token(seat_row(r, row, at), p->y[i * p->points + k], r->width);
}

void prompt_rows_ask_token(struct prompt_rows *r, size_t row, struct prompt_seat at,
                           const float *x) {
    memcpy(seat_row(r, row, at), x, r->width * sizeof *x);
}

/* A pass that was created for single tokens takes no earlier rows. */
static bool any_follows(const struct prompt_rows *r, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (r->earlier[i] > 0) return true;
    return false;
}

struct query_rows prompt_rows_of(const struct prompt_rows *r, size_t n) {
    assert(n <= r->capacity);
    struct query_rows rows = {.R = n, .slot = r->slot, .length = r->length};
    if (r->width > 0)
        rows.x = r->x;
    else
        rows.ids = r->ids, rows.earlier = any_follows(r, n) ? r->earlier : NULL;
    return rows;
}

/* ---- contexts */

static size_t prompts_together(const struct prompt_batch_options *o) {
    return o->fills > 0 ? o->fills : o->slots;
}

enum err_code prompt_batch_create(struct prompt_batch *b, const struct prompt_batch_options *o,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = o->dims;
    *b = (struct prompt_batch){0};
    b->tokens = calloc(o->tokens * d->inputs + 1, sizeof *b->tokens);
    CHECK(b->tokens, ERR_MEMORY, "no memory for a prompt of %zu tokens", o->tokens);
    TRY(prompt_rows_create(&b->rows, d, o->rows, err));
    TRY(context_create(&b->own, d, o->slots, o->tokens, o->contexts, err));
    prompt_batch_use(b, NULL);
    b->share = o->share;
    b->watch = o->watch;
    TRY(context_scratch_create(&b->fill, d, prompts_together(o), o->tokens, err));
cleanup:
    if (rc != ERR_OK) prompt_batch_destroy(b);
    return rc;
}

void prompt_batch_destroy(struct prompt_batch *b) {
    context_scratch_destroy(b->fill);
    context_destroy(&b->own);
    prompt_rows_destroy(&b->rows);
    free(b->tokens);
    *b = (struct prompt_batch){0};
}

size_t prompt_batch_bytes(const struct prompt_batch_options *o) {
    return prompt_rows_bytes(o->dims, o->rows) +
           context_scratch_bytes(o->dims, prompts_together(o), o->tokens) +
           o->tokens * o->dims->inputs * sizeof(float);
}

size_t prompt_batch_context_bytes(const struct prompt_batch_options *o) {
    return context_bytes(o->dims, o->slots, o->tokens, o->contexts);
}

void prompt_batch_begin(struct prompt_batch *b, const struct params *params,
                        const struct edits *edits) {
    b->params = params;
    b->edits = edits ? *edits : (struct edits){0};
}

void prompt_batch_add(struct prompt_batch *b, size_t slot, const struct prompt_view *p, size_t i,
                      struct prompt_span span) {
    const size_t query = span.first + span.pairs, dims = p->dims;
    if (p->text.ids) {
        assert(span.first == 0 && query + 1 == p->points && !span.and_x);
        context_add_ids(&b->context, slot, b->fill, b->params, prompt_view_ids(p, i),
                        prompt_view_length(p, i) - 1, &b->edits);
        return;
    }
    assert(query < p->points && dims == b->rows.width);
    pair_tokens(b->tokens, prompt_view_x(p, i, span.first),
                prompt_view_labels(p, i, query) + span.first, span.pairs, dims);
    if (span.and_x)
        memcpy(b->tokens + 2 * span.pairs * dims, prompt_view_x(p, i, query),
               dims * sizeof *b->tokens);
    context_add(&b->context, slot, b->fill, b->params, b->tokens, prompt_span_tokens(span),
                &b->edits);
}

void prompt_batch_finish(struct prompt_batch *b) {
    context_finish(&b->context, b->fill, b->params, &b->edits);
}

void prompt_batch_use(struct prompt_batch *b, const struct context *context) {
    const struct context *used = context ? context : &b->own;
    b->context = *used;
    b->context.memory = (struct arena){0};
}

/* Whether tokens of a context are edited, and not the query alone. */
static bool edits_contexts(const struct edits *edits) {
    bool all = edits->n_at > 0;
    for (size_t i = 0; i < edits->n; i++) all |= edits->items[i].scope == EDIT_ALL;
    return edits->n > 0 && all;
}

enum { WATCHED = 8 }; /* prompts from one call of go_on to the next */

static bool add_all(struct prompt_batch *b, const struct prompt_view *p, struct prompt_span span) {
    for (size_t i = 0; i < p->n; i++) {
        if (b->watch.go_on && i % WATCHED == WATCHED - 1 && !b->watch.go_on(b->watch.of, i))
            return false;
        prompt_batch_add(b, i, p, i, span);
    }
    return true;
}

bool prompt_batch_fill(struct prompt_batch *b, const struct prompt_view *p,
                       struct prompt_span span) {
    const struct shared_prompts shared = {p, 0, 1, p->n, span};
    const size_t tokens = p->text.ids ? b->own.tokens : prompt_span_tokens(span);
    const struct context_share *share = edits_contexts(&b->edits) ? NULL : b->share;
    bool complete = false;
    struct context context = {0}, like;
    context_open(&like, &b->own.dims, b->own.slots, tokens, b->own.layout.precision, NULL);
    const bool held = shared_contexts_hold(&context, &complete, share, &like, &shared);
    prompt_batch_use(b, held ? &context : NULL);
    if (complete) return true;
    const bool all = add_all(b, p, span);
    prompt_batch_finish(b);
    if (held && all) shared_contexts_complete(share, &context);
    return all;
}

void prompt_batch_ask(struct prompt_batch *b, const struct prompt_view *p, size_t k,
                      size_t length) {
    for (size_t i = 0; i < p->n; i++)
        prompt_rows_ask(&b->rows, i, (struct prompt_seat){i, length}, p, i, k);
}
