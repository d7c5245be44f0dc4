/*
 * context.h - the frozen past: keys and values of everything before a query, one slot a prompt.
 *
 * Causality keeps what stands before an edited query clean (design 3.3), so a prompt runs through
 * the model once and its keys and values serve every fit step and every length.  The bits
 * of a slot depend on its prompt and its length, never on which other prompts are around or whether
 * it is kept or recomputed.
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
    float *kv; /* [L, slots] of ops/context.h's keys and values of one prompt, in `layout` */
    struct arena memory;
};

struct context_scratch; /* activations of a few prompts on their way through */

enum err_code context_create(struct context *c, const struct model_dims *dims, size_t slots,
                             size_t tokens, enum context_precision precision, struct err *err);
void context_destroy(struct context *c);
size_t context_bytes(const struct model_dims *dims, size_t slots, size_t tokens,
                     enum context_precision precision);

enum err_code context_scratch_create(struct context_scratch **out, const struct model_dims *dims,
                                     size_t tokens, struct err *err);
void context_scratch_destroy(struct context_scratch *s);
size_t context_scratch_bytes(const struct model_dims *dims, size_t tokens);

/* Keys and values of all slots at one layer: what context_attention_forward() takes. */
const void *context_layer(const struct context *c, size_t l);

/* Runs one prompt, tokens [n_tokens, inputs], n_tokens <= c->tokens, and keeps its keys and values
 * in `slot`. The last block stops at its keys and values: nobody reads the rest. Edits of scope
 * `all` apply (edit row = slot when row_stride > 0); those of scope `query` only at edits->at.
 */
void context_fill(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                  const float *tokens, size_t n_tokens, const struct edits *edits);

/* The same for many prompts of one length, which go through the model some together: a slot has its
 * bits once context_finish() returns. All but slot and tokens, which are copied, must be the same
 * in every call until then. */
void context_add(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                 const float *tokens, size_t n_tokens, const struct edits *edits);
/* context_add() of a prompt of token ids [n_tokens], for families that embed them. */
void context_add_ids(struct context *c, size_t slot, struct context_scratch *s,
                     const struct params *p, const uint32_t *ids, size_t n_tokens,
                     const struct edits *edits);
void context_finish(struct context *c, struct context_scratch *s, const struct params *p,
                    const struct edits *edits);

#endif
