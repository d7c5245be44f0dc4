/*
 * context_attention.h - attention of single query tokens over a constant context: the query stream.
 *
 * context_layout.h describes the context of a layer, which a row reads once forward and once
 * backward.  All arithmetic is in floats, whatever the precision of the context, and the row's own
 * k and v are never rounded.
 *
 * Row r is a query of prompt prompt[r] that sees the first tokens[r] tokens of the context, and
 * itself: it is token tokens[r] of a full pass.  Rows of one prompt may have different lengths and
 * come in any order; adjacent rows of one prompt share the cache.  A query of several tokens is as
 * many adjacent rows: row r also sees the earlier[r] rows before it, which see the same context,
 * and is token tokens[r] + earlier[r].  The bits of a row depend on its own q, k, v and visible
 * context only.  The context is constant, so gradients go to the rows' own q, k and v.  Vaswani et
 * al., arXiv:1706.03762, eq. 1.
 */
#ifndef OPS_CONTEXT_ATTENTION_H
#define OPS_CONTEXT_ATTENTION_H

#include <stdint.h>

#include "ops/context_layout.h"

/* z [R,H D]; att [R,H,capacity+1] receives the probabilities of row r at 0 .. tokens[r], the last
 * of which is that of the row itself; what follows is unspecified. qkv [R,row] of the rows
 * themselves; prompt, tokens [R]. */
void context_attention_forward(float *restrict z, float *restrict att, const float *restrict qkv,
                               const void *restrict kv, const uint32_t *restrict prompt,
                               const uint32_t *restrict tokens, const uint32_t *restrict earlier,
                               size_t R, const struct context_layout *layout);

/* dz [R,H D] -> dqkv [R,row]. The other inputs are those of the forward pass; scratch
 * [capacity+1] is the caller's. */
void context_attention_backward(float *restrict dqkv, float *restrict scratch,
                                const float *restrict dz, const float *restrict att,
                                const float *restrict qkv, const void *restrict kv,
                                const uint32_t *restrict prompt, const uint32_t *restrict tokens,
                                const uint32_t *restrict earlier, size_t R,
                                const struct context_layout *layout);

#endif
