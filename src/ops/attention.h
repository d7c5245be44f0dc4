/*
 * attention.h - causal multi-head self-attention over whole prompts.
 *
 * qkv [B,T,3E] is packed as in GPT-2: each token holds q, k and v of width E = H D, each with its
 * heads one after the other.  Queries are the tokens 0, step, 2 step, ... of each prompt, R =
 * ceil(T / step) of them; step is 1 except where the last block of a model is needed at x tokens
 * only.  z [B,R,E] holds the head outputs in the same order, before the output projection.  Vaswani
 * et al., arXiv:1706.03762, eq. 1, with scale 1/sqrt(D).
 */
#ifndef OPS_ATTENTION_H
#define OPS_ATTENTION_H

#include <stddef.h>

struct attention_shape {
    size_t B, T, H, D, step;
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

/* dz [B,R,E] -> dqkv [B,T,3E], overwritten; 0 for the q of tokens that are no queries. att and qkv
 * are those of the forward pass. */
void attention_backward(float *restrict dqkv, float *restrict scratch, const float *restrict dz,
                        const float *restrict att, const float *restrict qkv,
                        const struct attention_shape *shape);

#endif
