/*
 * tile.h - a product of small matrices whose result stays in registers: four rows of two lanes.
 *
 * For the attention of one head: its factors lie in cache, and they are so small that the packing
 * of a GEMM would cost as much as its work.  Every element is one sum in the order of k, so its
 * bits do not depend on the tile that it is in.
 */
#ifndef OPS_TILE_H
#define OPS_TILE_H

#include "ops/lanes.h"

enum { TILE_ROWS = 4, TILE_COLUMNS = 2 * LANES };

struct tile {
    lanes at[TILE_ROWS][2];
};

/* n rounded up to whole tiles. */
static inline size_t tile_rows(size_t n) { return (n + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS; }
static inline size_t tile_columns(size_t n) {
    return (n + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
}

/* t [4,16] = sum over k < K of a[r, k] b[k, c]: a[r * row + k * step] (so a may be transposed),
 * b[k * ldb + c]. */
static inline struct tile tile_product(const float *restrict a, size_t row, size_t step,
                                       const float *restrict b, size_t ldb, size_t K) {
    struct tile t = {{{{0}}}};
    for (size_t k = 0; k < K; k++, a += step, b += ldb) {
        const lanes left = lanes_load(b), right = lanes_load(b + LANES);
        for (size_t r = 0; r < TILE_ROWS; r++) {
            t.at[r][0] += a[r * row] * left;
            t.at[r][1] += a[r * row] * right;
        }
    }
    return t;
}

static inline void tile_scale(struct tile *t, float scale) {
    for (size_t r = 0; r < TILE_ROWS; r++) {
        t->at[r][0] *= scale;
        t->at[r][1] *= scale;
    }
}

/* All of t, or its first rows x columns, in rows `ld` apart; nothing else is written. */
static inline void tile_store(float *out, size_t ld, const struct tile *t) {
    for (size_t r = 0; r < TILE_ROWS; r++) {
        lanes_store(out + r * ld, t->at[r][0]);
        lanes_store(out + r * ld + LANES, t->at[r][1]);
    }
}

static inline void tile_store_part(float *out, size_t ld, const struct tile *t, size_t rows,
                                   size_t columns) {
    float copy[TILE_ROWS * TILE_COLUMNS];
    tile_store(copy, TILE_COLUMNS, t);
    for (size_t r = 0; r < rows && r < TILE_ROWS; r++)
        for (size_t c = 0; c < columns && c < TILE_COLUMNS; c++)
            out[r * ld + c] = copy[r * TILE_COLUMNS + c];
}

static inline void tile_add_part(float *out, size_t ld, const struct tile *t, size_t rows,
                                 size_t columns) {
    float copy[TILE_ROWS * TILE_COLUMNS];
    tile_store(copy, TILE_COLUMNS, t);
    for (size_t r = 0; r < rows && r < TILE_ROWS; r++)
        for (size_t c = 0; c < columns && c < TILE_COLUMNS; c++)
            out[r * ld + c] += copy[r * TILE_COLUMNS + c];
}

#endif
