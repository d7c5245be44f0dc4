#include "activations/basis_collector.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_text.h"
#include "ops/blas.h"
#include "ops/vector_ops.h"
#include "sources/prompt_batch.h"

struct basis_collector {
    size_t T0, tokens, chunk;  /* T0: 0 for prompts of text; tokens: that a query sees at most */
    size_t recent;             /* x's of BASIS_RECENT */
    struct prompt_batch batch; /* slots and rows: [chunk] */
    struct query query;
    struct basis_anchors anchors;
    struct query anchor_query;      /* of the anchors after the pairs of one prompt */
    struct prompt_rows anchor_rows; /* [n] */
    float *change;                  /* [n, E] */
    struct basis_text_steps steps;  /* of text */
};

/* Context tokens that the x of point T0 sees, and those that its y sees: these and x. */
static size_t seen_by_x(size_t T0) { return 2 * (T0 - 1); }
static size_t seen_by_y(size_t T0) { return seen_by_x(T0) + 1; }

static struct prompt_batch_options collector_batch_options(const struct model_dims *d,
                                                           size_t tokens, size_t chunk,
                                                           enum context_precision contexts) {
    return (struct prompt_batch_options){
        .dims = d, .slots = chunk, .tokens = tokens, .rows = chunk, .contexts = contexts};
}

static enum err_code collector_create(struct basis_collector **out, const struct model_dims *d,
                                      const struct basis_collector *sizes,
                                      enum context_precision contexts, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t tokens = sizes->tokens, chunk = sizes->chunk;
    const struct prompt_batch_options batch = collector_batch_options(d, tokens, chunk, contexts);
    struct basis_collector *c = calloc(1, sizeof *c);
    assert(chunk >= 1);
    CHECK(c, ERR_MEMORY, "no memory for %zu basis prompts", chunk);
    *c = *sizes;
    TRY(prompt_batch_create(&c->batch, &batch, err));
    TRY(query_create(&c->query, d, chunk, tokens, false, err));
    *out = c;
    c = NULL;
cleanup:
    basis_collector_destroy(c);
    return rc;
}

enum err_code basis_collector_create(struct basis_collector **out, const struct model_dims *d,
                                     size_t T0, size_t chunk, enum context_precision contexts,
                                     struct err *err) {
    const struct basis_collector sizes = {
        .T0 = T0, .tokens = seen_by_y(T0), .chunk = chunk, .recent = 1};
    assert(T0 >= 1);
    return collector_create(out, d, &sizes, contexts, err);
}

enum err_code basis_collector_create_text(struct basis_collector **out, const struct model_dims *d,
                                          size_t tokens, size_t chunk,
                                          enum context_precision contexts, struct err *err) {
    const struct basis_collector sizes = {.tokens = tokens, .chunk = chunk, .recent = 1};
    return collector_create(out, d, &sizes, contexts, err);
}

void basis_collector_share(struct basis_collector *c, const struct context_share *s) {
    c->batch.share = s;
}

void basis_collector_watch(struct basis_collector *c, struct prompt_batch_watch watch) {
    c->batch.watch = watch;
}

void basis_collector_destroy(struct basis_collector *c) {
    if (!c) return;
    basis_text_steps_destroy(&c->steps);
    query_destroy(&c->anchor_query);
    prompt_rows_destroy(&c->anchor_rows);
    free(c->change);
    query_destroy(&c->query);
    prompt_batch_destroy(&c->batch);
    free(c);
}

size_t basis_collector_text_bytes(const struct model_dims *dims, size_t tokens, size_t chunk,
                                  enum context_precision contexts) {
    const struct prompt_batch_options batch =
        collector_batch_options(dims, tokens, chunk, contexts);
    return prompt_batch_context_bytes(&batch) + prompt_batch_bytes(&batch) +
           query_bytes(dims, chunk, tokens, false);
}

size_t basis_collector_bytes(const struct model_dims *dims, size_t T0, size_t chunk,
                             enum context_precision contexts) {
    return basis_collector_text_bytes(dims, seen_by_y(T0), chunk, contexts);
}

/* A pass of the first n rows without edits. */
static void run_query(struct basis_collector *c, const struct params *p, size_t n) {
    const struct query_rows rows = prompt_rows_of(&c->batch.rows, n);
    query_forward(&c->query, p, &c->batch.context, &rows, &(struct edits){0});
}

/* The x of point T0, with its context or without. */
static void ask_x(struct basis_collector *c, const struct params *p, const struct prompt_view *part,
                  enum basis_pass pass) {
    prompt_batch_ask(&c->batch, part, c->T0 - 1, pass == BASIS_PASS_ALONE ? 0 : seen_by_x(c->T0));
    run_query(c, p, part->n);
}

static void ask_y(struct basis_collector *c, const struct params *p,
                  const struct prompt_view *part) {
    for (size_t i = 0; i < part->n; i++)
        prompt_rows_ask_label(&c->batch.rows, i, (struct prompt_seat){i, seen_by_y(c->T0)}, part, i,
                              c->T0 - 1);
    run_query(c, p, part->n);
}

/* Rows first .. first + n - 1 of BASIS_STEP = the states of the last pass; with `subtract`, minus
 * what these rows hold. */
static void take_states(struct basis_set *s, size_t first, const struct basis_collector *c,
                        size_t n, bool subtract) {
    const size_t E = s->dims.E, L = s->dims.L, layer = c->query.capacity * E;
    for (size_t i = 0; i <= L; i++) {
        const float *from = i < L ? c->query.x + i * layer : c->query.last.norm;
        float *to = s->part[BASIS_STEP] + (i * s->n + first) * E;
        for (size_t j = 0; j < n * E; j++) to[j] = subtract ? from[j] - to[j] : from[j];
    }
}

static void normalise_step(struct basis_set *s, size_t row) {
    const size_t E = s->dims.E;
    double squares = 0;
    for (size_t i = 0; i <= s->dims.L; i++) {
        const float *x = s->part[BASIS_STEP] + (i * s->n + row) * E;
        squares += vector_dot(x, x, E);
    }
    for (size_t i = 0; squares > 0 && i <= s->dims.L; i++)
        vector_scale(s->part[BASIS_STEP] + (i * s->n + row) * E, (float)(1 / sqrt(squares)), E);
}

/* Follows the pass of the queries with their contexts. */
static void take_steps(struct basis_set *s, size_t first, struct basis_collector *c,
                       const struct params *p, const struct prompt_view *part) {
    take_states(s, first, c, part->n, false);
    ask_y(c, p, part);
    take_states(s, first, c, part->n, true);
    for (size_t i = 0; i < part->n; i++) normalise_step(s, first + i);
}

/* ---- the last x's */

void basis_collector_recent(struct basis_collector *c, size_t recent) {
    const bool text = c->T0 == 0; /* whose prompts have tokens enough, or are averaged over fewer */
    assert(recent >= 1);
    c->recent = text || recent < c->T0 ? recent : c->T0;
}

/* One pass for each of the last x's, which sees the pairs before it, from the query backwards. */
static void take_recent(struct basis_set *s, size_t first, struct basis_collector *c,
                        const struct params *p, const struct prompt_view *part) {
    const size_t n = part->n, E = s->dims.E;
    for (size_t j = 0; j < c->recent; j++) {
        const size_t point = c->T0 - 1 - j;
        prompt_batch_ask(&c->batch, part, point, 2 * point);
        run_query(c, p, n);
        for (size_t l = 0; l < s->dims.L; l++) {
            float *to = s->part[BASIS_RECENT] + (l * s->n + first) * E;
            if (j == 0) memset(to, 0, n * E * sizeof *to);
            vector_axpy(to, 1.0F / (float)c->recent, c->query.a + l * c->query.capacity * E, n * E);
        }
    }
}

/* ---- anchors */

enum err_code basis_collector_anchor(struct basis_collector *c, const struct basis_anchors *a,
                                     const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    assert(!c->change && a->n > 0);
    c->anchors = *a;
    c->change = calloc(a->n * d->E, sizeof *c->change);
    CHECK(c->change, ERR_MEMORY, "no memory for %zu anchors", a->n);
    TRY(prompt_rows_create(&c->anchor_rows, d, a->n, err));
    TRY(query_create(&c->anchor_query, d, a->n, seen_by_y(c->T0), false, err));
cleanup:
    return rc;
}

size_t basis_anchors_bytes(const struct model_dims *dims, size_t T0, size_t n) {
    if (n == 0) return 0;
    return query_bytes(dims, n, seen_by_y(T0), false) + prompt_rows_bytes(dims, n) +
           n * dims->E * sizeof(float);
}

/* c->change: the difference that the pairs of a slot make to the last state of each anchor. */
static void ask_anchors(struct basis_collector *c, const struct params *p, size_t slot) {
    const size_t n = c->anchors.n, E = p->dims.E, inputs = p->dims.inputs, row = inputs + 2 * E;
    for (size_t i = 0; i < n; i++)
        prompt_rows_ask_token(&c->anchor_rows, i, (struct prompt_seat){slot, seen_by_x(c->T0)},
                              c->anchors.rows + i * row);
    const struct query_rows rows = prompt_rows_of(&c->anchor_rows, n);
    query_forward(&c->anchor_query, p, &c->batch.context, &rows, &(struct edits){0});
    const float *state = c->anchor_query.x + p->dims.L * n * E;
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < E; e++)
            c->change[i * E + e] = state[i * E + e] - c->anchors.rows[i * row + inputs + e];
}

/* Rows first .. first + n - 1 of the set, from slots 0 .. n - 1. */
static void take_anchors(struct basis_set *s, size_t first, struct basis_collector *c,
                         const struct params *p, size_t n) {
    const size_t E = p->dims.E, row = p->dims.inputs + 2 * E;
    const float *shares = c->anchors.rows + p->dims.inputs + E;
    for (size_t i = 0; s->part[BASIS_ANCHORS] && i < n; i++) {
        ask_anchors(c, p, i);
        blas_gemm(s->part[BASIS_ANCHORS] + (first + i) * E, shares, c->change, BLAS_T, BLAS_N, 1, 0,
                  E, E, c->anchors.n, row, E, s->n * E);
    }
}

enum err_code basis_collector_answers(struct basis_collector *c, const struct model_dims *d,
                                      size_t answer, struct err *err) {
    assert(c->T0 == 0);
    return basis_text_steps_create(&c->steps, d, c->tokens, answer, c->chunk, err);
}

size_t basis_collector_answers_bytes(const struct model_dims *dims, const struct basis_size *size,
                                     size_t chunk) {
    return basis_text_steps_bytes(dims, size->tokens, size->answer, chunk);
}

/* Of text: the whole prompts, each with its own length. */
static void ask_text(struct basis_collector *c, const struct params *p,
                     const struct prompt_view *part) {
    prompt_batch_begin(&c->batch, p, NULL);
    if (!prompt_batch_fill(&c->batch, part, (struct prompt_span){.pairs = part->points - 1}))
        return;
    prompt_batch_ask(&c->batch, part, part->points - 1, 0);
    run_query(c, p, part->n);
}

static void collect_text(struct basis_set *s, size_t first, struct basis_collector *c,
                         const struct params *p, const struct prompt_view *part) {
    assert(!s->part[BASIS_ANCHORS]);
    if (basis_pass_needed(s->parts, BASIS_PASS_ALONE)) {
        const struct prompt_view alone = prompt_view_alone(part);
        assert(alone.text.ids);
        ask_text(c, p, &alone);
        basis_set_take(s, first, &c->query, part->n, BASIS_PASS_ALONE);
    }
    ask_text(c, p, part);
    basis_set_take(s, first, &c->query, part->n, BASIS_PASS_WHOLE);
    if (s->part[BASIS_STEP]) basis_text_take_steps(s, first, &c->steps, &c->batch, p, part);
    for (size_t i = 0; s->part[BASIS_STEP] && i < part->n; i++) normalise_step(s, first + i);
    if (s->part[BASIS_RECENT])
        basis_text_take_recent(s, first, c->recent, &c->batch, &c->query, p, part);
}

static void collect_part(struct basis_set *s, size_t first, struct basis_collector *c,
                         const struct params *p, const struct prompt_view *part) {
    const struct prompt_span before = {.pairs = c->T0 - 1, .and_x = s->part[BASIS_STEP] != NULL};
    prompt_batch_begin(&c->batch, p, NULL);
    if (!prompt_batch_fill(&c->batch, part, before)) return;
    for (enum basis_pass pass = BASIS_PASS_WHOLE; pass <= BASIS_PASS_ALONE; pass++) {
        if (!basis_pass_needed(s->parts, pass)) continue;
        ask_x(c, p, part, pass);
        basis_set_take(s, first, &c->query, part->n, pass);
        if (pass == BASIS_PASS_WHOLE && s->part[BASIS_STEP]) take_steps(s, first, c, p, part);
    }
    if (s->part[BASIS_RECENT]) take_recent(s, first, c, p, part);
    take_anchors(s, first, c, p, part->n);
}

void basis_collector_run_at(struct basis_set *s, size_t row, struct basis_collector *c,
                            const struct params *p, const struct prompt_view *prompts) {
    assert(s->n >= row + prompts->n && c->T0 <= prompts->points);
    assert(!s->part[BASIS_ANCHORS] || c->anchors.n > 0);
    for (size_t first = 0; first < prompts->n; first += c->chunk) {
        const struct prompt_view part = prompt_view_chunk(prompts, first, c->chunk);
        if (part.text.ids)
            collect_text(s, row + first, c, p, &part);
        else
            collect_part(s, row + first, c, p, &part);
    }
}

void basis_collector_run(struct basis_set *s, struct basis_collector *c, const struct params *p,
                         const struct prompt_view *prompts) {
    basis_collector_run_at(s, 0, c, p, prompts);
}

enum err_code basis_set_collect(struct basis_set *s, const struct params *p,
                                const struct prompt_view *prompts, size_t T0, size_t chunk,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct basis_collector *c = NULL;
    TRY(basis_collector_create(&c, &p->dims, T0, chunk, CONTEXT_SINGLE, err));
    basis_collector_run(s, c, p, prompts);
cleanup:
    basis_collector_destroy(c);
    return rc;
}
