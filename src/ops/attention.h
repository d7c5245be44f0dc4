/*
 * attention.h - causal multi-head self-attention over whole prompts.
 *
 * qkv [B,T,row] holds the q, k and v of every token as head_layout.h describes.  Queries are the
 * tokens 0, step, 2 step, ... of each prompt, R = ceil(T / step) of them; step is 1 except where
 * the last block of a model is needed at x tokens only.  z [B,R,H D] holds the outputs of the heads
 * side by side, before the output projection.  Vaswani et al., arXiv:1706.03762, eq. 1.
 */
#ifndef OPS_ATTENTION_H
#define OPS_ATTENTION_H

#include "ops/head_layout.h"

struct attention_shape {
    size_t B, T, step;
    struct head_layout heads;
};

/* Probabilities are stored as a triangle, since a token sees only itself and what precedes it: for
 * each prompt and head the rows of its queries without gaps, row r having r step + 1 floats. */
size_t attention_row_start(size_t r, size_t step); /* first float of row r in a triangle */
size_t attention_triangle(size_t T, size_t step);  /* floats of one triangle */

/* Floats of scratch that either pass needs, for any B, H and step. */
size_t attention_scratch(size_t T, size_t D);

/* att [B,H] triangles, for the backward pass; NULL: not stored. scratch [attention_scratch()]: its
 * content does not matter. */
void attention_forward(float *restrict z, float *restrict att, float *restrict scratch,
                       const float *restrict qkv, const struct attention_shape *shape);

/* dz [B,R,H D] -> dqkv [B,T,row], overwritten; 0 for the q of tokens that are no queries. att and
 * qkv are those of the forward pass. */
void attention_backward(float *restrict dqkv, float *restrict scratch, const float *restrict dz,
                        const float *restrict att, const float *restrict qkv,
                        const struct attention_shape *shape);

#endif
