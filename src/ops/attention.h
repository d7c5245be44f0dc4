/*
 * attention.h - causal multi-head self-attention over whole prompts.
 *
 * qkv [B,T,3E] is packed as in GPT-2: each token holds q, k and v of width E = H D, heads one after
 * the other in each.  z [B,T,E] is the heads' outputs in the same order, before the output
 * projection.  Vaswani et al., arXiv:1706.03762, eq. 1, with scale 1/sqrt(D).
 */
#ifndef OPS_ATTENTION_H
#define OPS_ATTENTION_H

#include <stddef.h>

/* att [B,H,T,T] keeps the probabilities for the backward pass; those of later tokens are 0. */
void attention_forward(float *restrict z, float *restrict att, const float *restrict qkv, size_t B,
                       size_t T, size_t H, size_t D);

/* dz [B,T,E] -> dqkv [B,T,3E]. att and qkv are those of the forward pass; scratch [T,T] is
 * the caller's, its content does not matter. */
void attention_backward(float *restrict dqkv, float *restrict scratch, const float *restrict dz,
                        const float *restrict att, const float *restrict qkv, size_t B, size_t T,
                        size_t H, size_t D);

#endif
