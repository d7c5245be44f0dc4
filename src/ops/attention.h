/*
 * attention.h - causal multi-head self-attention over whole prompts.
 *
 * qkv [B,T,3E] is packed as in GPT-2: each token holds q, k and v of width E = H D, heads one after
 * the other in each.  Queries are the tokens 0, step, 2 step, ... of each prompt, R = ceil(T /
 * step) of them; step is 1 but where a model's last block is read at x tokens only.  z [B,R,E] is
 * the heads' outputs in the same order, before the output projection. Vaswani et al.,
 * arXiv:1706.03762, eq. 1, with scale 1/sqrt(D).
 */
#ifndef OPS_ATTENTION_H
#define OPS_ATTENTION_H

#include <stddef.h>

struct attention_shape {
    size_t B, T, H, D, step;
};

/* Probabilities are kept as a triangle, since a token sees itself and what precedes it: for each
 * prompt and head the rows of its queries, row r of r step + 1 floats, one behind the other. */
size_t attention_row_start(size_t r, size_t step); /* of row r within a triangle */
size_t attention_triangle(size_t T, size_t step);  /* floats of one triangle */

/* Floats of scratch that either pass needs, whatever B, H and step. */
size_t attention_scratch(size_t T, size_t D);

/* att [B,H] triangles, kept for the backward pass; NULL: there is none. The content of scratch does
 * not matter. */
void attention_forward(float *restrict z, float *restrict att, float *restrict scratch,
                       const float *restrict qkv, const struct attention_shape *shape);

/* dz [B,R,E] -> dqkv [B,T,3E], 0 for the q of tokens that are no queries. att and qkv are those of
 * the forward pass. */
void attention_backward(float *restrict dqkv, float *restrict scratch, const float *restrict dz,
                        const float *restrict att, const float *restrict qkv,
                        const struct attention_shape *shape);

#endif
