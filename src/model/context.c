#include "model/context.h"

#include <assert.h>

#include "model/block.h"

static size_t slot_floats(const struct context *c) {
    return context_layout_stride(&c->layout) / sizeof(float);
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
                                       .capacity = context_layout_capacity(tokens),
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

float *context_slot(const struct context *c, size_t l, size_t slot) {
    assert(slot < c->slots);
    return c->kv + (l * c->slots + slot) * slot_floats(c);
}

const void *context_layer(const struct context *c, size_t l) {
    return c->kv + l * c->slots * slot_floats(c);
}

void context_store_token(struct context *c, size_t slot, size_t at, size_t l, const float *qkv) {
    assert(at < c->tokens);
    context_layout_append(context_slot(c, l, slot), qkv, at, &c->layout);
}
