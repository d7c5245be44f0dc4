/*
 * context_pass.h - runs prompts through the model: their keys and values become contexts, and
 * activations of named tokens are captured.
 *
 * A caller creates a context and a scratch, calls context_add() or context_add_ids() for each
 * prompt and then context_finish(); sources/prompt_batch.h does so for all stages.  Several prompts
 * go through the model at once, so that matrix products have many rows: prompts of token ids of any
 * lengths (row_packing.h), prompts of real vectors of one length (prompt_groups.h).  The bits of a
 * prompt do not depend on which other prompts run at the same time.
 */
#ifndef MODEL_CONTEXT_PASS_H
#define MODEL_CONTEXT_PASS_H

#include "model/context.h"
#include "model/edit.h"

struct context_scratch; /* activations of the prompts that run at once */

/* For prompts of up to `tokens` tokens, of which at most `prompts` run at once: 720 rows, or 4
 * prompts of real vectors, are the most that do, and fewer take less memory. No bit depends on it.
 * ERR_MEMORY.
 */
enum err_code context_scratch_create(struct context_scratch **out, const struct model_dims *dims,
                                     size_t prompts, size_t tokens, struct err *err);
void context_scratch_destroy(struct context_scratch *s); /* NULL-safe */
/* At least what finding out which prompts may run together takes: that is before the first pass,
 * and the pages of a scratch are taken when they are used. */
size_t context_scratch_bytes(const struct model_dims *dims, size_t prompts, size_t tokens);

/* Activations of n named tokens of every prompt, at all layers, as edited. Arrays that are NULL are
 * not wanted. */
struct context_capture {
    size_t slots, n;
    const uint32_t *at; /* [slots, n], each below the number of tokens of its prompt */
    float *z;           /* [L, slots, n, H D] head outputs side by side */
    float *a;           /* [L, slots, n, E] output of the projection */
    float *x;           /* [L, slots, n, E] residual stream after the block */
};

/* For the prompts that follow; no prompt is waiting. NULL: nothing is captured. The last block then
 * ends at its keys and values, with z alone at its head outputs, since nothing reads what follows.
 */
void context_scratch_capture(struct context_scratch *s, const struct context_capture *capture);

/* Runs a prompt, tokens [n_tokens, inputs], n_tokens <= c->tokens, and stores its keys and values
 * in `slot`; c NULL: they are not stored, only captures are wanted. Edits of scope `all` apply
 * (edit row = slot when row_stride > 0); those of scope `query` only at the tokens of edits->at. A
 * slot is complete only when context_finish() returns. Until then all arguments but slot and tokens
 * must be the same in every call, and so must n_tokens; tokens are copied. */
void context_add(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                 const float *tokens, size_t n_tokens, const struct edits *edits);
/* context_add() of a prompt of token ids [n_tokens], for families that embed them; prompts may have
 * different numbers of tokens. */
void context_add_ids(struct context *c, size_t slot, struct context_scratch *s,
                     const struct params *p, const uint32_t *ids, size_t n_tokens,
                     const struct edits *edits);
void context_finish(struct context *c, struct context_scratch *s, const struct params *p,
                    const struct edits *edits);

#endif
