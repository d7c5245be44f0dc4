/*
 * context_layout.h - where the keys and values of a context lie, and how they get there.
 *
 * The context of one layer is its keys and values, kv [B][KV][2][capacity / 8][D][8]: for each
 * key-value head of each prompt the keys, then the values.  Both are in tiles of eight tokens, and
 * within a tile the first coordinates of the eight are adjacent, then the second ones, and so on.
 * So a query reads the context of its prompt once forward and once backward, all keys or all values
 * of a head in one sequence.  `capacity` is the number of tokens that there is room for:
 * context_layout_capacity(n) for some n >= T.  CONTEXT_HALF stores the numbers as IEEE halves
 * (half_lanes.h), which halves memory and traffic.
 */
#ifndef OPS_CONTEXT_LAYOUT_H
#define OPS_CONTEXT_LAYOUT_H

#include "ops/head_layout.h"

enum context_precision { CONTEXT_SINGLE, CONTEXT_HALF };

struct context_layout {
    struct head_layout heads; /* of qkv rows; H, KV and D of the context too */
    size_t capacity;
    size_t earlier; /* rows of the same query before a row, at most */
    enum context_precision precision;
};

/* Bytes of a number. */
static inline size_t context_layout_number(enum context_precision kind) {
    return kind == CONTEXT_HALF ? 2 : sizeof(float);
}

/* Bytes of the keys, or of the values, of one head of one prompt. */
static inline size_t context_layout_block(const struct context_layout *layout) {
    return layout->capacity * layout->heads.D * context_layout_number(layout->precision);
}

size_t context_layout_capacity(size_t T); /* T, rounded up to whole lanes */
/* Bytes of one prompt at one layer. */
size_t context_layout_stride(const struct context_layout *layout);

/* Copies the keys and values of qkv [B,T,row] (as in attention.h) to tokens 0 .. T-1 of kv. Other
 * tokens of kv are not written. */
void context_layout_pack(void *restrict kv, const float *restrict qkv, size_t B, size_t T,
                         const struct context_layout *layout);

/* Copies those of one token, a row qkv [row], to token `at` < capacity of one prompt's kv. */
void context_layout_append(void *restrict kv, const float *restrict qkv, size_t at,
                           const struct context_layout *layout);

#endif
