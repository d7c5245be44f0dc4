/*
 * context.h - keys and values of everything before a query, one slot per prompt.
 *
 * Attention is causal, so an edit of the query does not change the tokens before it.  A prompt
 * therefore runs through the model once, and its keys and values serve every fit step and every
 * length (query.h).  The bits of a slot depend on its prompt and its length alone, not on which
 * other prompts run at the same time or on whether the slot is cached or recomputed.
 *
 * A caller creates a context and a scratch, calls context_add() for each prompt and then
 * context_finish(); sources/prompt_batch.h does so for all stages.
 */
#ifndef MODEL_CONTEXT_H
#define MODEL_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/edit.h"
#include "model/params.h"
#include "ops/context_attention.h"

struct context {
    struct model_dims dims;
    size_t slots, tokens; /* prompts, and tokens each slot can hold */
    struct context_layout layout;
    float *kv; /* [L, slots] keys and values of one prompt, see ops/context_attention.h */
    struct arena memory;
};

struct context_scratch; /* activations of the few prompts that run at once */

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

/* For prompts of up to `tokens` tokens. ERR_MEMORY. */
enum err_code context_scratch_create(struct context_scratch **out, const struct model_dims *dims,
                                     size_t tokens, struct err *err);
void context_scratch_destroy(struct context_scratch *s); /* NULL-safe */
size_t context_scratch_bytes(const struct model_dims *dims, size_t tokens);

/* Keys and values of all slots at one layer: what context_attention_forward() takes. */
const void *context_layer(const struct context *c, size_t l);

/* Runs a prompt, tokens [n_tokens, inputs], n_tokens <= c->tokens, and stores its keys and values
 * in `slot`. The last block ends at its keys and values, since nothing reads what follows. Edits of
 * scope `all` apply (edit row = slot when row_stride > 0); those of scope `query` only at the
 * tokens of edits->at. Several prompts go through the model at once, so a slot is complete only
 * when context_finish() returns. Until then all arguments but slot and tokens must be the same in
 * every call; tokens are copied. */
void context_add(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                 const float *tokens, size_t n_tokens, const struct edits *edits);
/* context_add() of a prompt of token ids [n_tokens], for families that embed them. */
void context_add_ids(struct context *c, size_t slot, struct context_scratch *s,
                     const struct params *p, const uint32_t *ids, size_t n_tokens,
                     const struct edits *edits);
void context_finish(struct context *c, struct context_scratch *s, const struct params *p,
                    const struct edits *edits);

/* Keys and values of one token at layer l, from its row of q, k and v, positions included: they
 * become token `at` < c->tokens of a slot that has the tokens before it. For query_append(). */
void context_store_token(struct context *c, size_t slot, size_t at, size_t l, const float *qkv);

#endif
