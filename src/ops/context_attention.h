/*
 * context_attention.h - attention of single query tokens over a constant context: the query stream.
 *
 * The context of one layer is its keys and values, kv [B][KV][2][capacity / 8][D][8]: for each
 * key-value head of each prompt the keys, then the values.  Both are in tiles of eight tokens, and
 * within a tile the first coordinates of the eight are adjacent, then the second ones, and so on.
 * So a row reads the context of its prompt once forward and once backward, all keys or all values
 * of a head in one sequence.  `capacity` is the number of tokens that there is room for:
 * context_attention_capacity(n) for some n >= T.  CONTEXT_HALF stores the numbers as IEEE halves
 * (half_lanes.h), which halves memory and traffic.  All arithmetic is in floats either way, and the
 * row's own k and v are never rounded.
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

#include "ops/head_layout.h"

enum context_precision { CONTEXT_SINGLE, CONTEXT_HALF };

struct context_layout {
    struct head_layout heads; /* of qkv rows; H, KV and D of the context too */
    size_t capacity;
    size_t earlier; /* rows of the same query before a row, at most */
    enum context_precision precision;
};

size_t context_attention_capacity(size_t T); /* T, rounded up to whole lanes */
/* Bytes of one prompt at one layer. */
size_t context_attention_stride(const struct context_layout *layout);

/* Copies the keys and values of qkv [B,T,row] (as in attention.h) to tokens 0 .. T-1 of kv. Other
 * tokens of kv are not written. */
void context_attention_pack(void *restrict kv, const float *restrict qkv, size_t B, size_t T,
                            const struct context_layout *layout);

/* Copies those of one token, a row qkv [row], to token `at` < capacity of one prompt's kv. */
void context_attention_append(void *restrict kv, const float *restrict qkv, size_t at,
                              const struct context_layout *layout);

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
