/*
 * block.h - one GPT-2 block, in the two halves before and after its attention.
 *
 * The full forward pass, the context pass and the query stream differ in how tokens attend. All
 * else of a block works row by row and is the same code.  A pass calls block_qkv(), its own
 * attention (qkv -> z), then block_finish(); the backward pass calls the counterparts in reverse
 * order.  T is any number of tokens (rows).  The steps are those of forward.h.
 */
#ifndef MODEL_BLOCK_H
#define MODEL_BLOCK_H

#include "model/forward.h"
#include "ops/head_layout.h"

/* The q, k and v of a token in qkv. */
struct head_layout block_heads(const struct model_dims *d);

/* Lays out the arrays of s for T tokens, and att with att_floats. z and a are left to the caller,
 * since some passes store those of all layers together. for_backward: block_finish_backward() will
 * follow. */
void block_lay_out(struct forward_layer *s, struct arena *a, const struct model_dims *d, size_t T,
                   size_t att_floats, bool for_backward);

/* x [T,E] -> s->ln_1, s->qkv. */
void block_qkv(const struct forward_layer *s, const float *x, const struct layer_params *w,
               const struct model_dims *d, size_t T);

/* s->z and x [T,E] -> s->a, unless that is NULL, and all after it; out [T,E] is the block's output.
 */
void block_finish(float *out, const struct forward_layer *s, const float *x,
                  const struct layer_params *w, const struct model_dims *d, size_t T);

/* block_finish() in two, for passes that edit s->a between them: s->z -> s->a, then s->a and x ->
 * all after it. */
void block_project(const struct forward_layer *s, const struct layer_params *w,
                   const struct model_dims *d, size_t T);
void block_after_attention(float *out, const struct forward_layer *s, const float *x,
                           const struct layer_params *w, const struct model_dims *d, size_t T);

/* Scratch of the backward pass, for T tokens; it holds nothing between calls of two blocks. */
struct block_scratch {
    float *wide, *narrow; /* [T, 4E], [T, E] */
    float *dz, *dqkv;     /* [T, E], [T, 3E]: from one half to the other */
};

void block_scratch_lay_out(struct block_scratch *b, struct arena *a, const struct model_dims *d,
                           size_t T);

/* d [T,E]: on entry the gradient of the block's output, on return that of s->mid, which the
 * residual connection passes on to x. b->dz becomes the gradient of s->z. Weight gradients are
 * added to *g; members that are NULL are not wanted. */
void block_finish_backward(float *restrict d, const struct block_scratch *b,
                           const struct layer_params *g, const struct forward_layer *s,
                           const struct layer_params *w, const struct model_dims *dims, size_t T);

/* b->dqkv, the gradient of s->qkv -> added to d, which then is the gradient of x. */
void block_qkv_backward(float *restrict d, const struct block_scratch *b,
                        const struct layer_params *g, const struct forward_layer *s, const float *x,
                        const struct layer_params *w, const struct model_dims *dims, size_t T);

#endif
