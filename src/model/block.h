/*
 * block.h - one block of a model, in the two halves before and after its attention.
 *
 * The full forward pass, the context pass and the query stream differ in how tokens attend. All
 * else of a block works row by row and is the same code for all families: what they do differently
 * is in block.c, which reads the family's row.  A pass calls block_qkv(), block_turn(), its own
 * attention (qkv -> z), then block_finish(); the backward pass calls the counterparts in reverse
 * order.  T is any number of tokens (rows).  The steps are those of forward.h.
 */
#ifndef MODEL_BLOCK_H
#define MODEL_BLOCK_H

#include <stdint.h>

#include "model/forward.h"
#include "ops/head_layout.h"

/* The q, k and v of a token in qkv, and the scale of the scores, in layer l. */
struct head_layout block_heads(const struct model_dims *d, size_t l);

/* Lays out the arrays of s for T tokens, and att with att_floats. z and a are left to the caller,
 * since some passes store those of all layers together. for_backward: block_finish_backward() will
 * follow. */
void block_lay_out(struct forward_layer *s, struct arena *a, const struct model_dims *d, size_t T,
                   size_t att_floats, bool for_backward);

/* The same arrays from token `row` on, but for att; z and what follows it from row r on. */
struct forward_layer block_rows(const struct forward_layer *s, const struct model_dims *d,
                                size_t row, size_t r);

/* x [T,E] -> s->ln_1, s->qkv; q and k without their positions. */
void block_qkv(const struct forward_layer *s, const float *x, const struct layer_params *w,
               const struct model_dims *d, size_t T);

/* Floats of the angles of T tokens; 0: the family has no rotary positions. */
size_t block_angles(const struct model_dims *d, size_t T);
void block_set_angles(float *angles, const struct model_dims *d, const uint32_t *position,
                      size_t T);

/* Turns q and k of qkv [T, qkv width] by the angles of their tokens; its counterpart turns their
 * gradients back. Without rotary positions nothing is done. */
void block_turn(float *qkv, const float *angles, const struct model_dims *d, size_t T);
void block_turn_backward(float *dqkv, const float *angles, const struct model_dims *d, size_t T);

/* s->z and x [T,E] -> s->a, unless that is NULL, and all after it; out [T,E] is the block's output.
 */
void block_finish(float *out, const struct forward_layer *s, const float *x,
                  const struct layer_params *w, const struct model_dims *d, size_t T);

/* For passes that begin at s->z or s->a, without block_qkv(): x [T,E] -> s->ln_1, where the MLP
 * reads it too. */
void block_begin_after_qkv(const struct forward_layer *s, const float *x,
                           const struct layer_params *w, const struct model_dims *d, size_t T);

/* The projection of layer l: z [T, H D] -> a [T, E]. */
struct weight_map block_projection(const struct params *p, size_t l);

/* block_finish() in two, for passes that edit s->a between them: s->z -> s->a, then s->a and x ->
 * all after it. */
void block_project(const struct forward_layer *s, const struct layer_params *w,
                   const struct model_dims *d, size_t T);
void block_after_attention(float *out, const struct forward_layer *s, const float *x,
                           const struct layer_params *w, const struct model_dims *d, size_t T);

/* Scratch of the backward pass, for T tokens; it holds nothing between calls of two blocks. */
struct block_scratch {
    float mlp_less; /* 1 minus the factor of the MLP output in the block's output; 0: it is 1 */
    float *wide, *wider; /* [T, F]; wider of a gated MLP */
    float *narrow;       /* [T, max(E, H D)] */
    float *da;           /* [T, E]: the gradient of s->a, with a parallel residual */
    float *dz, *dqkv;    /* [T, H D], [T, qkv width]: from one half to the other */
    float *dqk_raw;      /* [T, qkv width]: with norms of q and k */
};

void block_scratch_lay_out(struct block_scratch *b, struct arena *a, const struct model_dims *d,
                           size_t T);

/* d [T,E]: on entry the gradient of the block's output, on return what the residual connection and
 * a parallel MLP pass on to x. b->dz becomes the gradient of s->z; returns that of s->a [T,E]. x is
 * that of block_finish(). Weight gradients are added to *g; members that are NULL are not wanted.
 */
const float *block_finish_backward(float *restrict d, const struct block_scratch *b,
                                   const struct layer_params *g, const struct forward_layer *s,
                                   const float *x, const struct layer_params *w,
                                   const struct model_dims *dims, size_t T);

/* da [T,E], the gradient of s->a -> b->dz. */
void block_project_backward(const struct block_scratch *b, const float *da,
                            const struct layer_params *w, const struct model_dims *d, size_t T);

/* b->dqkv, the gradient of s->qkv before block_turn() -> added to d, which then is the gradient of
 * x. */
void block_qkv_backward(float *restrict d, const struct block_scratch *b,
                        const struct layer_params *g, const struct forward_layer *s, const float *x,
                        const struct layer_params *w, const struct model_dims *dims, size_t T);

#endif
