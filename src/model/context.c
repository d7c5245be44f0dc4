#include "model/context.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "ops/attention.h"
#include "ops/blas.h"
#include "ops/context_attention.h"

/* Prompts that go through the model together. Where the kernel of BLAS treats rows in patterns of
 * up to twelve, each is rounded up to whole patterns, so that it begins at the same place of them
 * as when it is alone. */
enum { TOGETHER = 4, PATTERN = 12 };

struct context_scratch {
    struct model_dims dims;
    size_t tokens;
    float *x, *next; /* [TOGETHER, rows, E] a block's input and output */
    struct forward_layer layer;
    float *attention; /* scratch of attention_forward() */
    float *prompts;   /* [TOGETHER, tokens, inputs] those that wait */
    size_t slot[TOGETHER], waiting;
    size_t n_tokens; /* of those that wait */
    struct company {
        unsigned char together; /* how many go together at a length; 0: not asked yet */
        bool padded;
    } * known, now; /* [tokens + 1]; at n_tokens */
    struct arena memory;
};

static size_t padded(size_t tokens) { return (tokens + PATTERN - 1) / PATTERN * PATTERN; }

/* Rows of each of the prompts that wait. */
static size_t rows_of(const struct context_scratch *s) {
    return s->now.padded ? padded(s->n_tokens) : s->n_tokens;
}

static size_t slot_floats(const struct context *c) {
    return context_attention_stride(&c->layout) / sizeof(float);
}

static void lay_out(struct context *c, struct arena *a) {
    c->kv = arena_floats(a, c->dims.L * c->slots * slot_floats(c));
}

static struct context described(const struct model_dims *dims, size_t slots, size_t tokens,
                                enum context_precision precision) {
    return (struct context){
        .dims = *dims,
        .slots = slots,
        .tokens = tokens,
        .layout = {dims->H, model_head_width(dims), context_attention_capacity(tokens), precision}};
}

size_t context_bytes(const struct model_dims *dims, size_t slots, size_t tokens,
                     enum context_precision precision) {
    struct context c = described(dims, slots, tokens, precision);
    struct arena a = {0};
    lay_out(&c, &a);
    return a.used;
}

enum err_code context_create(struct context *c, const struct model_dims *dims, size_t slots,
                             size_t tokens, enum context_precision precision, struct err *err) {
    struct context made = described(dims, slots, tokens, precision);
    assert(tokens < dims->positions); /* the query has the position after them */
    lay_out(&made, &made.memory);
    const enum err_code rc = arena_commit(&made.memory, err);
    if (rc != ERR_OK) return rc;
    lay_out(&made, &made.memory);
    *c = made;
    return ERR_OK;
}

void context_destroy(struct context *c) {
    arena_release(&c->memory);
    *c = (struct context){0};
}

const void *context_layer(const struct context *c, size_t l) {
    return c->kv + l * c->slots * slot_floats(c);
}

/* ---- prompts on their way through */

static void scratch_lay_out(struct context_scratch *s, struct arena *a) {
    const size_t rows = TOGETHER * padded(s->tokens), E = s->dims.E;
    s->x = arena_floats(a, rows * E);
    s->next = arena_floats(a, rows * E);
    block_lay_out(&s->layer, a, &s->dims, rows, 0, false);
    s->layer.z = arena_floats(a, rows * E);
    s->layer.a = arena_floats(a, rows * E);
    s->attention = arena_floats(a, attention_scratch(s->tokens, model_head_width(&s->dims)));
    s->prompts = arena_floats(a, TOGETHER * s->tokens * s->dims.inputs);
}

enum err_code context_scratch_create(struct context_scratch **out, const struct model_dims *dims,
                                     size_t tokens, struct err *err) {
    enum err_code rc = ERR_OK;
    struct context_scratch *s = calloc(1, sizeof *s);
    CHECK(s, ERR_MEMORY, "cannot allocate the table of a context pass");
    s->dims = *dims;
    s->tokens = tokens;
    scratch_lay_out(s, &s->memory);
    s->known = calloc(tokens + 1, sizeof *s->known);
    CHECK(s->known, ERR_MEMORY, "cannot allocate the table of a context pass");
    TRY(arena_commit(&s->memory, err));
    scratch_lay_out(s, &s->memory);
    *out = s;
    s = NULL;
cleanup:
    context_scratch_destroy(s);
    return rc;
}

void context_scratch_destroy(struct context_scratch *s) {
    if (!s) return;
    arena_release(&s->memory);
    free(s->known);
    free(s);
}

size_t context_scratch_bytes(const struct model_dims *dims, size_t tokens) {
    struct context_scratch s = {.dims = *dims, .tokens = tokens};
    struct arena a = {0};
    scratch_lay_out(&s, &a);
    return a.used;
}

/* What is added to a block's output at the query, added at the tokens of edits->at: x [tokens, E].
 */
static void add_at(float *x, size_t n_tokens, size_t E, const struct edits *edits, size_t layer,
                   size_t slot) {
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        const bool adds = e->site == EDIT_BLOCK && e->operation == EDIT_ADD;
        if (e->layer != layer || e->scope != EDIT_QUERY || !adds) continue;
        for (size_t k = 0; k < edits->n_at; k++) {
            assert(edits->at[k] < n_tokens), (void)n_tokens;
            edit_add(x + edits->at[k] * E + e->from, edit_row(e, slot), e->scale,
                     e->n > 0 ? e->n : E - e->from);
        }
    }
}

/* x [n_tokens, E], a block's output; row [E]. */
static void apply(float *x, size_t n_tokens, size_t E, const struct edits *edits, size_t layer,
                  size_t slot, float *row) {
    add_at(x, n_tokens, E, edits, layer, slot);
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        if (e->layer != layer || e->scope != EDIT_ALL) continue;
        assert(e->site == EDIT_BLOCK);
        for (size_t t = 0; t < n_tokens; t++) edit_apply(x + t * E, e, slot, E, row);
    }
}

/* x [n, rows, E]; zeros behind a prompt's tokens, which no one reads. */
static void embed(const struct context_scratch *s, const struct params *p, size_t n) {
    const size_t E = s->dims.E, T = s->n_tokens, rows = rows_of(s);
    for (size_t i = 0; i < n; i++) {
        float *x = s->x + i * rows * E;
        block_embed(x, p, s->prompts + i * s->tokens * s->dims.inputs, 1, T);
        memset(x + T * E, 0, (rows - T) * E * sizeof *x);
    }
}

/* Products, norms and activations of all rows at once; attention of each prompt by itself. */
static void run(struct context *c, struct context_scratch *s, const struct params *p,
                const size_t *slot, size_t n, const struct edits *edits) {
    const struct model_dims *d = &c->dims;
    const struct forward_layer *a = &s->layer;
    const size_t E = d->E, T = s->n_tokens, rows = rows_of(s);
    const struct attention_shape shape = {1, T, d->H, model_head_width(d), 1};
    embed(s, p, n);
    for (size_t l = 0; l < d->L; l++) {
        block_qkv(a, s->x, &p->layers[l], d, n * rows);
        for (size_t i = 0; i < n; i++)
            context_attention_pack(c->kv + (l * c->slots + slot[i]) * slot_floats(c),
                                   a->qkv + i * rows * 3 * E, 1, T, &c->layout);
        if (l + 1 == d->L) return; /* nobody reads the rest */
        for (size_t i = 0; i < n; i++)
            attention_forward(a->z + i * rows * E, NULL, s->attention, a->qkv + i * rows * 3 * E,
                              &shape);
        block_finish(s->next, a, s->x, &p->layers[l], d, n * rows);
        for (size_t i = 0; i < n; i++)
            apply(s->next + i * rows * E, T, E, edits, l, slot[i], a->ln_1);
        float *const done = s->x;
        s->x = s->next;
        s->next = done;
    }
}

static bool agree(const struct model_dims *d, size_t rows) {
    const size_t E = d->E;
    return blas_rows_agree(TOGETHER, rows, E, 3 * E) && blas_rows_agree(TOGETHER, rows, E, E) &&
           blas_rows_agree(TOGETHER, rows, E, 4 * E) && blas_rows_agree(TOGETHER, rows, 4 * E, E);
}

/* May prompts of this length go together: does this kernel of BLAS give each the bits it has alone?
 * So whatever the company they are the same, and only the time differs. */
static struct company find_company(const struct model_dims *d, size_t n_tokens) {
    if (agree(d, n_tokens)) return (struct company){TOGETHER, false};
    return (struct company){agree(d, padded(n_tokens)) ? TOGETHER : 1, true};
}

static void set_length(struct context_scratch *s, size_t n_tokens) {
    struct company *known = &s->known[n_tokens];
    if (known->together == 0) *known = find_company(&s->dims, n_tokens);
    assert(s->waiting == 0 || s->n_tokens == n_tokens);
    s->n_tokens = n_tokens;
    s->now = *known;
}

void context_finish(struct context *c, struct context_scratch *s, const struct params *p,
                    const struct edits *edits) {
    const size_t step = s->waiting == TOGETHER ? TOGETHER : 1;
    for (size_t i = 0; i < s->waiting; i += step) {
        const size_t each = s->tokens * s->dims.inputs;
        if (i > 0) memcpy(s->prompts, s->prompts + i * each, each * sizeof *s->prompts);
        run(c, s, p, s->slot + i, step, edits);
    }
    s->waiting = 0;
}

void context_add(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                 const float *tokens, size_t n_tokens, const struct edits *edits) {
    assert(slot < c->slots && n_tokens <= c->tokens && n_tokens <= s->tokens);
    set_length(s, n_tokens);
    memcpy(s->prompts + s->waiting * s->tokens * s->dims.inputs, tokens,
           n_tokens * s->dims.inputs * sizeof *tokens);
    s->slot[s->waiting++] = slot;
    if (s->waiting == s->now.together) context_finish(c, s, p, edits);
}

void context_fill(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                  const float *tokens, size_t n_tokens, const struct edits *edits) {
    assert(s->waiting == 0);
    context_add(c, slot, s, p, tokens, n_tokens, edits);
    context_finish(c, s, p, edits);
}
