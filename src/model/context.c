#include "model/context.h"

#include <assert.h>
#include <stdlib.h>

#include "model/block.h"
#include "ops/context.h"

struct context_scratch {
    struct model_dims dims;
    size_t tokens;
    float *x, *next; /* [tokens, E] a block's input and output */
    struct forward_layer layer;
    struct arena memory;
};

static size_t slot_floats(const struct context *c) {
    return context_stride(&c->layout) / sizeof(float);
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
        .layout = {dims->H, model_head_width(dims), context_capacity(tokens), precision}};
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

/* ---- one prompt on its way through */

static void scratch_lay_out(struct context_scratch *s, struct arena *a) {
    const size_t T = s->tokens;
    s->x = arena_floats(a, T * s->dims.E);
    s->next = arena_floats(a, T * s->dims.E);
    block_lay_out(&s->layer, a, &s->dims, T, context_capacity(T) + 1, false);
    s->layer.z = arena_floats(a, T * s->dims.E);
    s->layer.a = arena_floats(a, T * s->dims.E);
}

enum err_code context_scratch_create(struct context_scratch **out, const struct model_dims *dims,
                                     size_t tokens, struct err *err) {
    enum err_code rc = ERR_OK;
    struct context_scratch *s = calloc(1, sizeof *s);
    CHECK(s, ERR_MEMORY, "cannot allocate the table of a context pass");
    s->dims = *dims;
    s->tokens = tokens;
    scratch_lay_out(s, &s->memory);
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
    free(s);
}

static void apply(float *x, size_t n_tokens, size_t E, const struct edits *edits, size_t layer,
                  size_t slot) {
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        if (e->layer != layer || e->scope != EDIT_ALL) continue;
        for (size_t t = 0; t < n_tokens; t++) edit_add(x + t * E, edit_row(e, slot), e->scale, E);
    }
}

void context_fill(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                  const float *tokens, size_t n_tokens, const struct edits *edits) {
    const struct model_dims *d = &c->dims;
    const struct forward_layer *a = &s->layer;
    float *x = s->x, *next = s->next;
    assert(slot < c->slots && n_tokens <= c->tokens && n_tokens <= s->tokens);
    block_embed(x, p, tokens, 1, n_tokens);
    for (size_t l = 0; l < d->L; l++) {
        const struct layer_params *w = &p->layers[l];
        float *kv = c->kv + (l * c->slots + slot) * slot_floats(c);
        block_qkv(a, x, w, d, n_tokens);
        context_pack(kv, a->qkv, 1, n_tokens, &c->layout);
        if (l + 1 == d->L) return; /* nobody reads the rest */
        context_attend_own(a->z, a->att, a->qkv, kv, n_tokens, &c->layout);
        block_finish(next, a, x, w, d, n_tokens);
        apply(next, n_tokens, d->E, edits, l, slot);
        float *const done = x;
        x = next;
        next = done;
    }
}
