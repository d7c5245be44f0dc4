#include "model/context.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "model/embed.h"
#include "ops/attention.h"
#include "ops/blas.h"
#include "ops/context_attention.h"

/* TOGETHER prompts of one length go through the model at once, as long as that changes no bit: BLAS
 * kernels treat rows in patterns of up to twelve, and a row's bits may depend on its place in the
 * pattern. Where they do, each prompt's rows are padded to whole patterns, so that it begins at the
 * same place as a prompt that runs alone. */
enum { TOGETHER = 4, PATTERN = 12 };

struct grouping {          /* of prompts of one length */
    unsigned char prompts; /* that run at once: TOGETHER or 1; 0: not determined yet */
    bool padded;
};

struct context_scratch {
    struct model_dims dims;
    size_t tokens;
    float *x, *next; /* [TOGETHER, rows, E] a block's input and output; of prompts that wait, the
                        embedded tokens */
    struct forward_layer layer;
    float *attention;               /* scratch of attention_forward() */
    float *angles;                  /* block_angles(tokens) of positions 0, 1, 2, ... */
    size_t slot[TOGETHER], waiting; /* slots of the prompts that wait; their number */
    size_t n_tokens;                /* of the prompts that wait */
    struct grouping *groupings;     /* [tokens + 1] by length */
    struct grouping grouping;       /* of n_tokens */
    struct arena memory;
};

static size_t padded(size_t tokens) { return (tokens + PATTERN - 1) / PATTERN * PATTERN; }

/* Rows that each waiting prompt takes, padding included. */
static size_t rows_of(const struct context_scratch *s) {
    return s->grouping.padded ? padded(s->n_tokens) : s->n_tokens;
}

static size_t slot_floats(const struct context *c) {
    return context_attention_stride(&c->layout) / sizeof(float);
}

static void context_lay_out(struct context *c, struct arena *a) {
    c->kv = arena_floats(a, c->dims.L * c->slots * slot_floats(c));
}

static struct context context_of_size(const struct model_dims *dims, size_t slots, size_t tokens,
                                      enum context_precision precision) {
    return (struct context){.dims = *dims,
                            .slots = slots,
                            .tokens = tokens,
                            .layout = {.heads = block_heads(dims, 0),
                                       .capacity = context_attention_capacity(tokens),
                                       .precision = precision}};
}

size_t context_bytes(const struct model_dims *dims, size_t slots, size_t tokens,
                     enum context_precision precision) {
    struct context c = context_of_size(dims, slots, tokens, precision);
    struct arena a = {0};
    context_lay_out(&c, &a);
    return a.used;
}

enum err_code context_create(struct context *c, const struct model_dims *dims, size_t slots,
                             size_t tokens, enum context_precision precision, struct err *err) {
    struct context made = context_of_size(dims, slots, tokens, precision);
    assert(tokens < dims->positions); /* the query has the position after them */
    context_lay_out(&made, &made.memory);
    const enum err_code rc = arena_commit(&made.memory, err);
    if (rc != ERR_OK) return rc;
    context_lay_out(&made, &made.memory);
    *c = made;
    return ERR_OK;
}

void context_open(struct context *c, const struct model_dims *dims, size_t slots, size_t tokens,
                  enum context_precision precision, float *memory) {
    assert(tokens < dims->positions);
    *c = context_of_size(dims, slots, tokens, precision);
    c->kv = memory;
}

void context_destroy(struct context *c) {
    arena_release(&c->memory);
    *c = (struct context){0};
}

const void *context_layer(const struct context *c, size_t l) {
    return c->kv + l * c->slots * slot_floats(c);
}

void context_store_token(struct context *c, size_t slot, size_t at, size_t l, const float *qkv) {
    assert(slot < c->slots && at < c->tokens);
    context_attention_append(c->kv + (l * c->slots + slot) * slot_floats(c), qkv, at, &c->layout);
}

/* ---- running prompts */

static void scratch_lay_out(struct context_scratch *s, struct arena *a) {
    const size_t rows = TOGETHER * padded(s->tokens), E = s->dims.E;
    s->x = arena_floats(a, rows * E);
    s->next = arena_floats(a, rows * E);
    block_lay_out(&s->layer, a, &s->dims, rows, 0, false);
    s->layer.z = arena_floats(a, rows * model_heads_width(&s->dims));
    s->angles = arena_floats(a, block_angles(&s->dims, s->tokens));
    s->attention = arena_floats(a, attention_scratch(s->tokens, model_head_width(&s->dims)));
}

static void set_angles(const struct context_scratch *s) {
    for (uint32_t t = 0; t < s->tokens; t++) {
        float *angles = s->angles + block_angles(&s->dims, t);
        block_set_angles(angles, &s->dims, &t, 1);
    }
}

enum err_code context_scratch_create(struct context_scratch **out, const struct model_dims *dims,
                                     size_t tokens, struct err *err) {
    enum err_code rc = ERR_OK;
    struct context_scratch *s = calloc(1, sizeof *s);
    CHECK(s, ERR_MEMORY, "no memory for the tables of a context pass");
    s->dims = *dims;
    s->tokens = tokens;
    scratch_lay_out(s, &s->memory);
    s->groupings = calloc(tokens + 1, sizeof *s->groupings);
    CHECK(s->groupings, ERR_MEMORY, "no memory for the tables of a context pass");
    TRY(arena_commit(&s->memory, err));
    scratch_lay_out(s, &s->memory);
    set_angles(s);
    *out = s;
    s = NULL;
cleanup:
    context_scratch_destroy(s);
    return rc;
}

void context_scratch_destroy(struct context_scratch *s) {
    if (!s) return;
    arena_release(&s->memory);
    free(s->groupings);
    free(s);
}

size_t context_scratch_bytes(const struct model_dims *dims, size_t tokens) {
    struct context_scratch s = {.dims = *dims, .tokens = tokens};
    struct arena a = {0};
    scratch_lay_out(&s, &a);
    return a.used;
}

/* Edits of scope `query` that add to block outputs, at the tokens of edits->at: x [n_tokens, E]. */
static void edit_named_tokens(float *x, size_t n_tokens, size_t E, const struct edits *edits,
                              size_t layer, size_t slot) {
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        const bool adds = e->site == EDIT_BLOCK && e->operation == EDIT_ADD;
        if (e->layer != layer || e->scope != EDIT_QUERY || !adds) continue;
        for (size_t k = 0; k < edits->n_at; k++) {
            assert(edits->at[k] < n_tokens), (void)n_tokens;
            edit_add(x + edits->at[k] * E + e->from, edit_row(e, slot), e->scale, edit_width(e, E));
        }
    }
}

/* x [n_tokens, E], the output of block `layer`; row [E] is scratch. */
static void edit_block_output(float *x, size_t n_tokens, size_t E, const struct edits *edits,
                              size_t layer, size_t slot, float *row) {
    edit_named_tokens(x, n_tokens, E, edits, layer, slot);
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        if (e->layer != layer || e->scope != EDIT_ALL) continue;
        assert(e->site == EDIT_BLOCK);
        for (size_t t = 0; t < n_tokens; t++) edit_apply(x + t * E, e, slot, E, row);
    }
}

/* qkv of n waiting prompts at one layer: positions, then keys and values into the contexts. */
static void store_keys(struct context *c, const struct context_scratch *s, const size_t *slot,
                       size_t n, size_t l) {
    const size_t rows = rows_of(s), width = model_qkv_width(&c->dims);
    for (size_t i = 0; i < n; i++) {
        float *qkv = s->layer.qkv + i * rows * width;
        block_turn(qkv, s->angles, &c->dims, s->n_tokens);
        context_attention_pack(c->kv + (l * c->slots + slot[i]) * slot_floats(c), qkv, 1,
                               s->n_tokens, &c->layout);
    }
}

static void attend_prompts(const struct context_scratch *s, size_t n, size_t l) {
    const struct model_dims *d = &s->dims;
    const struct attention_shape shape = {1, s->n_tokens, 1, block_heads(d, l)};
    const size_t rows = rows_of(s);
    for (size_t i = 0; i < n; i++)
        attention_forward(s->layer.z + i * rows * model_heads_width(d), NULL, s->attention,
                          s->layer.qkv + i * rows * model_qkv_width(d), &shape);
}

/* Runs n waiting prompts from `first` on. Matrix products, norms and activations take the rows of
 * all of them; attention takes one prompt at a time. */
static void run_waiting(struct context *c, const struct context_scratch *s, const struct params *p,
                        size_t first, size_t n, const struct edits *edits) {
    const struct model_dims *d = &c->dims;
    const struct forward_layer *a = &s->layer;
    const size_t E = d->E, T = s->n_tokens, rows = rows_of(s), *slot = s->slot + first;
    float *x = s->x + first * rows * E, *next = s->next + first * rows * E;
    for (size_t l = 0; l < d->L; l++) {
        block_qkv(a, x, &p->layers[l], d, n * rows);
        store_keys(c, s, slot, n, l);
        if (l + 1 == d->L) return; /* nothing reads the rest of the last block */
        attend_prompts(s, n, l);
        block_finish(next, a, x, &p->layers[l], d, n * rows);
        for (size_t i = 0; i < n; i++)
            edit_block_output(next + i * rows * E, T, E, edits, l, slot[i], a->ln_1);
        float *const output = next;
        next = x;
        x = output;
    }
}

static bool products_agree(const struct model_dims *d, size_t rows) {
    const size_t E = d->E, F = model_mlp_width(d), Z = model_heads_width(d);
    return blas_rows_agree(TOGETHER, rows, E, model_qkv_width(d)) &&
           blas_rows_agree(TOGETHER, rows, Z, E) && blas_rows_agree(TOGETHER, rows, E, F) &&
           blas_rows_agree(TOGETHER, rows, F, E);
}

/* Tries whether the BLAS kernel in use gives prompts of this length equal bits together and alone.
 * So the grouping decides only the time that contexts take. */
static struct grouping determine_grouping(const struct model_dims *d, size_t n_tokens) {
    if (products_agree(d, n_tokens)) return (struct grouping){TOGETHER, false};
    return (struct grouping){products_agree(d, padded(n_tokens)) ? TOGETHER : 1, true};
}

static void set_length(struct context_scratch *s, size_t n_tokens) {
    struct grouping *known = &s->groupings[n_tokens];
    if (known->prompts == 0) *known = determine_grouping(&s->dims, n_tokens);
    assert(s->waiting == 0 || s->n_tokens == n_tokens);
    s->n_tokens = n_tokens;
    s->grouping = *known;
}

void context_finish(struct context *c, struct context_scratch *s, const struct params *p,
                    const struct edits *edits) {
    const size_t step = s->waiting == TOGETHER ? TOGETHER : 1;
    for (size_t i = 0; i < s->waiting; i += step) run_waiting(c, s, p, i, step, edits);
    s->waiting = 0;
}

/* A prompt waits as embedded tokens, with zeros in its rows of padding. */
static void add_prompt(struct context *c, size_t slot, struct context_scratch *s,
                       const struct params *p, const float *vectors, const uint32_t *ids,
                       size_t n_tokens, const struct edits *edits) {
    assert(slot < c->slots && n_tokens <= c->tokens && n_tokens <= s->tokens);
    set_length(s, n_tokens);
    const size_t E = s->dims.E, rows = rows_of(s);
    float *x = s->x + s->waiting * rows * E;
    embed_sequences(x, p, vectors, ids, 1, n_tokens);
    memset(x + n_tokens * E, 0, (rows - n_tokens) * E * sizeof *x);
    s->slot[s->waiting++] = slot;
    if (s->waiting == s->grouping.prompts) context_finish(c, s, p, edits);
}

void context_add(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                 const float *tokens, size_t n_tokens, const struct edits *edits) {
    add_prompt(c, slot, s, p, tokens, NULL, n_tokens, edits);
}

void context_add_ids(struct context *c, size_t slot, struct context_scratch *s,
                     const struct params *p, const uint32_t *ids, size_t n_tokens,
                     const struct edits *edits) {
    add_prompt(c, slot, s, p, NULL, ids, n_tokens, edits);
}
