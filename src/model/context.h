/*
 * context.h - keys and values of everything before a query, one slot per prompt.
 *
 * Attention is causal, so an edit of the query does not change the tokens before it.  A prompt
 * therefore runs through the model once, and its keys and values serve every fit step and every
 * length (query.h).  The bits of a slot depend on its prompt and its length alone, not on which
 * other prompts run at the same time or on whether the slot is cached or recomputed.
 *
 * context_pass.h fills contexts.
 */
#ifndef MODEL_CONTEXT_H
#define MODEL_CONTEXT_H

#include "model/params.h"
#include "ops/context_attention.h"

struct context {
    struct model_dims dims;
    size_t slots, tokens; /* prompts, and tokens each slot can hold */
    struct context_layout layout;
    float *kv; /* [L, slots] keys and values of one prompt, see ops/context_layout.h */
    struct arena memory;
};

/* Room for `slots` prompts of up to `tokens` tokens, below dims->positions: the query needs a
 * position too. ERR_MEMORY. context_bytes() is the memory that it takes. */
enum err_code context_create(struct context *c, const struct model_dims *dims, size_t slots,
                             size_t tokens, enum context_precision precision, struct err *err);
/* The same in memory of the caller: context_bytes() of it, aligned to 64 bytes, zero or with what
 * an earlier context of the same sizes has left there. */
void context_open(struct context *c, const struct model_dims *dims, size_t slots, size_t tokens,
                  enum context_precision precision, float *memory);
void context_destroy(struct context *c); /* idempotent */
size_t context_bytes(const struct model_dims *dims, size_t slots, size_t tokens,
                     enum context_precision precision);

/* Keys and values of all slots at one layer: what context_attention_forward() takes. */
const void *context_layer(const struct context *c, size_t l);

/* Those of one slot. */
float *context_slot(const struct context *c, size_t l, size_t slot);

/* Keys and values of one token at layer l, from its row of q, k and v, positions included: they
 * become token `at` < c->tokens of a slot that has the tokens before it. For query_append(). */
void context_store_token(struct context *c, size_t slot, size_t at, size_t l, const float *qkv);

#endif
