/*
 * weight.h - matrices of a model, in single or half precision, as affine maps of rows.
 *
 * A file's F16 and BF16 matrices stay as they are, mapped and shared by all ranks of a node. A
 * product widens them tile by tile into a small buffer that stays in cache, and each tile is one
 * GEMM: all arithmetic is in floats. A matrix in floats is one GEMM, as in linear.h.  A matrix that
 * has a pack is multiplied in bfloat16 parts instead (weight_pack.h).
 */
#ifndef OPS_WEIGHT_H
#define OPS_WEIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "ops/linear.h"

struct onednn;
struct weight_pack;

enum weight_type { WEIGHT_F32, WEIGHT_F16, WEIGHT_BF16 };

enum { WEIGHT_TILE = 1 << 19 }; /* floats of the buffer: 2 MiB; a row of a matrix is shorter */

/* Both pointers NULL: no matrix. */
struct weight {
    float *f32;         /* type WEIGHT_F32 */
    const void *narrow; /* other types: 16-bit numbers, at any address */
    float *tile;        /* other types: [WEIGHT_TILE] scratch, which matrices may share */
    enum weight_type type;
    struct weight_pack *pack;     /* NULL: products in floats, */
    const struct onednn *library; /* by this library; NULL: OpenBLAS */
};

static inline struct weight weight_floats(float *f32) { return (struct weight){.f32 = f32}; }

/* out [rows, columns] = the submatrix of W that begins at number `first`, rows `ld` apart. */
void weight_widen(float *restrict out, const struct weight *W, size_t first, size_t rows,
                  size_t columns, size_t ld);

/* y = x W + b */
struct weight_map {
    struct weight W;
    const float *b; /* [O], or NULL for none */
    size_t I, O;
    enum linear_layout layout;
};

/* The map to outputs first .. first + n - 1 alone; W is LINEAR_OUT_IN. Of a matrix that has a pack,
 * both are whole tiles of it. */
struct weight_map weight_map_part(const struct weight_map *m, size_t first, size_t n);

/* y [N,O] = x W + b; rows of y are ldy floats apart; x [N,I]. */
void weight_forward(float *restrict y, size_t ldy, const float *restrict x,
                    const struct weight_map *m, size_t N);

/* y [N,O] += x W, without the bias; rows of y are ldy floats apart. */
void weight_add(float *restrict y, size_t ldy, const float *restrict x, const struct weight_map *m,
                size_t N);

/* y [N,O] = base + x W + b, base [N,O]. */
void weight_forward_onto(float *restrict y, const float *restrict base, const float *restrict x,
                         const struct weight_map *m, size_t N);

/* dx [N,I] = beta dx + dy W^T; rows of dy [N,O] are ldy floats apart; beta is 0 (dx is overwritten)
 * or 1. */
void weight_backward(float *restrict dx, float beta, const float *restrict dy, size_t ldy,
                     const struct weight_map *m, size_t N);

/* Adds to dW, shaped as W, and to db [O]; either may be NULL. x [N,I] is that of the forward pass.
 */
void weight_gradient(float *restrict dW, float *restrict db, const float *restrict dy, size_t ldy,
                     const float *restrict x, const struct weight_map *m, size_t N);

#endif
