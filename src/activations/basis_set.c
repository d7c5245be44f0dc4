#include "activations/basis_set.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ops/blas.h"
#include "ops/layernorm.h"
#include "ops/vector_ops.h"

const char *const BASIS_NAMES[BASIS_PARTS] = {"basis_heads", "basis_attention", "basis_state",
                                              "basis_alone", "basis_anchors",   "basis_step",
                                              "basis_recent"};

static void lay_out(struct basis_set *s) {
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        if (s->parts & basis_bit(p))
            s->part[p] = arena_floats(&s->memory, basis_blocks(p, &s->dims) * s->n * s->dims.E);
}

enum err_code basis_set_create(struct basis_set *s, const struct model_dims *dims, unsigned parts,
                               size_t n, struct err *err) {
    *s = (struct basis_set){.dims = *dims, .parts = parts, .n = n};
    lay_out(s);
    enum err_code rc = arena_commit(&s->memory, err);
    if (rc == ERR_OK) lay_out(s);
    return rc;
}

void basis_set_destroy(struct basis_set *s) {
    arena_release(&s->memory);
    *s = (struct basis_set){0};
}

size_t basis_set_bytes(const struct model_dims *dims, unsigned parts, size_t n) {
    struct basis_set s = {.dims = *dims, .parts = parts, .n = n};
    lay_out(&s);
    return s.memory.used;
}

bool basis_pass_needed(unsigned parts, enum basis_pass pass) {
    const unsigned alone = basis_bit(BASIS_ALONE),
                   others = basis_bit(BASIS_ANCHORS) | basis_bit(BASIS_RECENT);
    return (parts & (pass == BASIS_PASS_ALONE ? alone : ~(alone | others))) != 0;
}

/* Where a plain query pass has block 0 of a part; blocks lie capacity * E apart. NULL: this pass
 * has it not. */
static const float *part_of(const struct query *q, enum basis_part part, enum basis_pass pass) {
    if ((part == BASIS_ALONE) != (pass == BASIS_PASS_ALONE)) return NULL;
    switch (part) {
    case BASIS_HEADS:
        return q->z;
    case BASIS_ATTENTION:
        return q->a;
    case BASIS_STATE:
    case BASIS_ALONE:
        return q->x + q->capacity * q->dims.E;
    default:
        return NULL;
    }
}

void basis_set_take(struct basis_set *s, size_t first, const struct query *q, size_t R,
                    enum basis_pass pass) {
    const size_t E = s->dims.E;
    assert(first + R <= s->n);
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const float *from = part_of(q, p, pass);
        for (size_t i = 0; s->part[p] && from && i < basis_blocks(p, &s->dims); i++)
            memcpy(s->part[p] + (i * s->n + first) * E, from + i * q->capacity * E,
                   R * E * sizeof *from);
    }
}

size_t basis_set_floats(const struct basis_set *s) {
    size_t blocks = 0;
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        if (s->parts & basis_bit(p)) blocks += basis_blocks(p, &s->dims);
    return blocks * s->dims.E;
}

void basis_set_add(double *sum, const struct basis_set *s, const struct query *q, size_t r,
                   enum basis_pass pass) {
    const size_t E = s->dims.E;
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const float *from = part_of(q, p, pass);
        for (size_t i = 0; s->part[p] && i < basis_blocks(p, &s->dims); i++, sum += E)
            for (size_t e = 0; from && e < E; e++)
                sum[e] += (double)from[(i * q->capacity + r) * E + e];
    }
}

void basis_set_add_row(double *sum, const struct basis_set *s, size_t r) {
    const size_t E = s->dims.E;
    assert(r < s->n);
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        for (size_t i = 0; s->part[p] && i < basis_blocks(p, &s->dims); i++)
            for (size_t e = 0; e < E; e++) *sum++ += (double)s->part[p][(i * s->n + r) * E + e];
}

void basis_set_mean(struct basis_set *s, const double *sum, size_t n) {
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        for (size_t i = 0; s->part[p] && i < basis_blocks(p, &s->dims); i++)
            for (size_t e = 0; e < s->dims.E; e++)
                s->part[p][i * s->n * s->dims.E + e] = (float)(*sum++ / (double)n);
}

struct basis basis_set_view(const struct basis_set *s, size_t first, size_t R) {
    struct basis b = {.R = R, .stride = s->n};
    assert(first + R <= s->n);
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        b.part[p] = s->part[p] ? s->part[p] + first * s->dims.E : NULL;
    return b;
}

struct basis_collector { /* contexts of the pairs before point T0, and its query */
    size_t T0, chunk;
    size_t recent; /* x's of BASIS_RECENT */
    struct context context;
    struct context_scratch *fill;
    struct query query;
    float *tokens, *x;       /* [2 T0, dims], [chunk, dims] */
    float *ln_f, *moments;   /* [chunk, E], [2, chunk] of BASIS_STEP */
    uint32_t *slot, *length; /* [chunk] */
    struct basis_anchors anchors;
    struct query asked;                  /* of the anchors of one prompt */
    float *anchor_x, *change;            /* [n, dims], [n, E] */
    uint32_t *their_slot, *their_length; /* [n] */
};

static size_t seen(size_t T0) { return 2 * (T0 - 1); }

/* What the y of point T0 sees: all that its x sees, and x. */
static size_t room(size_t T0) { return seen(T0) + 1; }

enum err_code basis_collector_create(struct basis_collector **out, const struct model_dims *d,
                                     size_t T0, size_t chunk, enum context_precision contexts,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    struct basis_collector *c = calloc(1, sizeof *c);
    assert(T0 >= 1 && chunk >= 1);
    CHECK(c, ERR_MEMORY, "no memory for %zu basis prompts", chunk);
    *c = (struct basis_collector){.T0 = T0, .chunk = chunk, .recent = 1};
    c->tokens = calloc(2 * T0 * d->inputs, sizeof *c->tokens);
    c->x = calloc(chunk * d->inputs, sizeof *c->x);
    c->ln_f = calloc(chunk * (d->E + 2), sizeof *c->ln_f);
    c->slot = calloc(chunk, sizeof *c->slot);
    c->length = calloc(chunk, sizeof *c->length);
    CHECK(c->tokens && c->x && c->ln_f && c->slot && c->length, ERR_MEMORY,
          "no memory for %zu basis prompts", chunk);
    c->moments = c->ln_f + chunk * d->E;
    TRY(context_create(&c->context, d, chunk, room(T0), contexts, err));
    TRY(context_scratch_create(&c->fill, d, room(T0), err));
    TRY(query_create(&c->query, d, chunk, room(T0), false, err));
    *out = c;
    c = NULL;
cleanup:
    basis_collector_destroy(c);
    return rc;
}

void basis_collector_destroy(struct basis_collector *c) {
    if (!c) return;
    query_destroy(&c->asked);
    free(c->their_length);
    free(c->their_slot);
    free(c->change);
    free(c->anchor_x);
    query_destroy(&c->query);
    context_scratch_destroy(c->fill);
    context_destroy(&c->context);
    free(c->length);
    free(c->slot);
    free(c->ln_f);
    free(c->x);
    free(c->tokens);
    free(c);
}

size_t basis_collector_bytes(const struct model_dims *dims, size_t T0, size_t chunk,
                             enum context_precision contexts) {
    return context_bytes(dims, chunk, room(T0), contexts) + context_scratch_bytes(dims, room(T0)) +
           query_bytes(dims, chunk, room(T0), false) + chunk * (dims->E + 2) * sizeof(float);
}

/* Contexts of the first `tokens` tokens of each prompt. */
static void fill_contexts(struct basis_collector *c, const struct params *p,
                          const struct prompt_view *part, size_t tokens) {
    const struct edits none = {0};
    for (size_t i = 0; i < part->n; i++) {
        prompt_tokens(c->tokens, prompt_view_x(part, i, 0), part->y + i * part->points, 1, c->T0,
                      part->dims);
        context_add(&c->context, i, c->fill, p, c->tokens, tokens, &none);
    }
    context_finish(&c->context, c->fill, p, &none);
}

/* The tokens c->x of n prompts, which see `length` tokens. */
static void ask(struct basis_collector *c, const struct params *p, size_t n, size_t length) {
    for (size_t i = 0; i < n; i++) {
        c->slot[i] = (uint32_t)i;
        c->length[i] = (uint32_t)length;
    }
    const struct query_rows rows = {n, c->slot, c->length, c->x};
    query_forward(&c->query, p, &c->context, &rows, &(struct edits){0});
}

/* The x of point T0 with its context or none. */
static void ask_x(struct basis_collector *c, const struct params *p, const struct prompt_view *part,
                  enum basis_pass pass) {
    for (size_t i = 0; i < part->n; i++)
        memcpy(c->x + i * part->dims, prompt_view_x(part, i, c->T0 - 1), part->dims * sizeof *c->x);
    ask(c, p, part->n, pass == BASIS_PASS_ALONE ? 0 : seen(c->T0));
}

static void ask_y(struct basis_collector *c, const struct params *p,
                  const struct prompt_view *part) {
    memset(c->x, 0, part->n * part->dims * sizeof *c->x);
    for (size_t i = 0; i < part->n; i++)
        c->x[i * part->dims] = part->y[i * part->points + c->T0 - 1];
    ask(c, p, part->n, room(c->T0));
}

/* Rows first .. first + n - 1 of BASIS_STEP = the states of the last pass, less what stands there
 * when `less`. */
static void take_states(struct basis_set *s, size_t first, struct basis_collector *c,
                        const struct params *p, size_t n, bool less) {
    const size_t E = s->dims.E, L = s->dims.L, layer = c->query.capacity * E;
    layernorm_forward(c->ln_f, c->moments, c->moments + c->chunk, c->query.x + L * layer, p->ln_f_w,
                      p->ln_f_b, s->dims.epsilon, n, E);
    for (size_t i = 0; i <= L; i++) {
        const float *from = i < L ? c->query.x + i * layer : c->ln_f;
        float *to = s->part[BASIS_STEP] + (i * s->n + first) * E;
        for (size_t j = 0; j < n * E; j++) to[j] = less ? from[j] - to[j] : from[j];
    }
}

static void normalise(struct basis_set *s, size_t row) {
    const size_t E = s->dims.E;
    double squares = 0;
    for (size_t i = 0; i <= s->dims.L; i++) {
        const float *x = s->part[BASIS_STEP] + (i * s->n + row) * E;
        squares += vector_dot(x, x, E);
    }
    for (size_t i = 0; squares > 0 && i <= s->dims.L; i++)
        vector_scale(s->part[BASIS_STEP] + (i * s->n + row) * E, (float)(1 / sqrt(squares)), E);
}

/* After the pass of the queries with their contexts. */
static void take_steps(struct basis_set *s, size_t first, struct basis_collector *c,
                       const struct params *p, const struct prompt_view *part) {
    take_states(s, first, c, p, part->n, false);
    ask_y(c, p, part);
    take_states(s, first, c, p, part->n, true);
    for (size_t i = 0; i < part->n; i++) normalise(s, first + i);
}

/* ---- the last x's */

void basis_collector_recent(struct basis_collector *c, size_t recent) {
    assert(recent >= 1);
    c->recent = recent < c->T0 ? recent : c->T0;
}

/* Each x with the pairs before it, from the query backwards. */
static void take_recent(struct basis_set *s, size_t first, struct basis_collector *c,
                        const struct params *p, const struct prompt_view *part) {
    const size_t n = part->n, E = s->dims.E;
    for (size_t j = 0; j < c->recent; j++) {
        const size_t point = c->T0 - 1 - j;
        for (size_t i = 0; i < n; i++)
            memcpy(c->x + i * part->dims, prompt_view_x(part, i, point), part->dims * sizeof *c->x);
        ask(c, p, n, 2 * point);
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
    const size_t row = d->inputs + 2 * d->E;
    assert(!c->anchor_x && a->n > 0);
    c->anchors = *a;
    c->anchor_x = calloc(a->n * d->inputs, sizeof *c->anchor_x);
    c->change = calloc(a->n * d->E, sizeof *c->change);
    c->their_slot = calloc(a->n, sizeof *c->their_slot);
    c->their_length = calloc(a->n, sizeof *c->their_length);
    CHECK(c->anchor_x && c->change && c->their_slot && c->their_length, ERR_MEMORY,
          "no memory for %zu anchors", a->n);
    for (size_t i = 0; i < a->n; i++)
        memcpy(c->anchor_x + i * d->inputs, a->rows + i * row, d->inputs * sizeof *a->rows);
    TRY(query_create(&c->asked, d, a->n, room(c->T0), false, err));
cleanup:
    return rc;
}

size_t basis_anchors_bytes(const struct model_dims *dims, size_t T0, size_t n) {
    return n > 0 ? query_bytes(dims, n, room(T0), false) + n * (dims->inputs + dims->E) * 4 : 0;
}

/* c->change: what the pairs in a slot change in the last state of each anchor. */
static void ask_anchors(struct basis_collector *c, const struct params *p, size_t slot) {
    const struct edits none = {0};
    const size_t n = c->anchors.n, E = p->dims.E, inputs = p->dims.inputs;
    for (size_t i = 0; i < n; i++) {
        c->their_slot[i] = (uint32_t)slot;
        c->their_length[i] = (uint32_t)seen(c->T0);
    }
    const struct query_rows rows = {n, c->their_slot, c->their_length, c->anchor_x};
    query_forward(&c->asked, p, &c->context, &rows, &none);
    const float *state = c->asked.x + p->dims.L * n * E;
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < E; e++)
            c->change[i * E + e] =
                state[i * E + e] - c->anchors.rows[i * (inputs + 2 * E) + inputs + e];
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

static void collect_part(struct basis_set *s, size_t first, struct basis_collector *c,
                         const struct params *p, const struct prompt_view *part) {
    fill_contexts(c, p, part, s->part[BASIS_STEP] ? room(c->T0) : seen(c->T0));
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
        size_t n = prompts->n - first < c->chunk ? prompts->n - first : c->chunk;
        struct prompt_view part = prompt_view_part(prompts, first, n);
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
