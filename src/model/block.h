/*
 * block.h - one GPT-2 block in the two halves around its attention.
 *
 * The full forward, the context pass and the query stream differ in how tokens attend; all else of
 * a block is row by row and the same code.  A pass calls block_qkv(), its attention (qkv -> z),
 * then block_finish(); backward the other way round.  T is any number of tokens (rows).
 */
#ifndef MODEL_BLOCK_H
#define MODEL_BLOCK_H

#include "model/forward.h"

/* Lays out the arrays of s for T tokens, att with att_floats, all but z and a: some passes keep
 * those of all layers together. for_backward: block_finish_backward() will follow. */
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

/* Scratch of the backward pass, for T tokens; contents do not matter. */
struct block_scratch {
    float *wide, *narrow; /* [T, 4E], [T, E] */
    float *dz, *dqkv;     /* [T, E], [T, 3E]: handed from half to half */
};

void block_scratch_lay_out(struct block_scratch *b, struct arena *a, const struct model_dims *d,
                           size_t T);

/* d [T,E]: on entry the gradient of the block's output, on return that of s->mid, which is also its
 * part of the gradient of x. b->dz is filled.
 * Weight gradients are added to *g; members that are NULL are not wanted. */
void block_finish_backward(float *restrict d, const struct block_scratch *b,
                           const struct layer_params *g, const struct forward_layer *s,
                           const struct layer_params *w, const struct model_dims *dims, size_t T);

/* b->dqkv -> added to d, which then is the gradient of x. */
void block_qkv_backward(float *restrict d, const struct block_scratch *b,
                        const struct layer_params *g, const struct forward_layer *s, const float *x,
                        const struct layer_params *w, const struct model_dims *dims, size_t T);

#endif
