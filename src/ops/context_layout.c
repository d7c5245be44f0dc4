#include "ops/context_layout.h"

#include <assert.h>

#include "ops/half_lanes.h"

/* Inlined into a loop for each precision, so that the compiler sees it as a constant. */
#define INLINE static inline __attribute__((always_inline))

size_t context_layout_capacity(size_t T) { return (T + LANES - 1) / LANES * LANES; }

size_t context_layout_stride(const struct context_layout *layout) {
    return 2 * layout->heads.KV * context_layout_block(layout);
}

/* The first n numbers of eight, at numbers i .. i + n - 1 of M. */
INLINE void store(unsigned char *M, size_t i, lanes v, size_t n, enum context_precision kind) {
    if (kind == CONTEXT_SINGLE) {
        memcpy(M + sizeof(float) * i, &v, n * sizeof(float));
    } else {
        uint16_t halves[LANES];
        half_lanes_narrow(halves, v);
        memcpy(M + 2 * i, halves, n * 2);
    }
}

/* Numbers d .. d + 7 of eight tokens. */
INLINE void pack_square(unsigned char *tile, const float *x, size_t d, size_t apart,
                        enum context_precision kind) {
    lanes rows[LANES], columns[LANES];
    for (size_t t = 0; t < LANES; t++) rows[t] = lanes_load(x + t * apart + d);
    lanes_transpose(columns, rows);
    for (size_t i = 0; i < LANES; i++) store(tile, (d + i) * LANES, columns[i], LANES, kind);
}

/* n <= 8 tokens of D numbers, `apart` floats from each other, become one tile [D][8]. */
INLINE void pack_tile(unsigned char *tile, const float *x, size_t n, size_t D, size_t apart,
                      enum context_precision kind) {
    size_t d = 0;
    for (; n == LANES && d + LANES <= D; d += LANES) pack_square(tile, x, d, apart, kind);
    for (; d < D; d++) {
        lanes column = {0};
        for (size_t t = 0; t < n; t++) column[t] = x[t * apart + d];
        store(tile, d * LANES, column, n, kind);
    }
}

/* T tokens of one head's keys or values. */
INLINE void pack_block(unsigned char *block, const float *x, size_t T, const struct head_layout *l,
                       enum context_precision kind) {
    const size_t size = l->D * context_layout_number(kind);
    for (size_t t = 0; t < T; t += LANES)
        pack_tile(block + t * size, x + t * l->row, T - t < LANES ? T - t : LANES, l->D, l->row,
                  kind);
}

void context_layout_pack(void *restrict kv, const float *restrict qkv, size_t B, size_t T,
                         const struct context_layout *layout) {
    const struct head_layout *l = &layout->heads;
    unsigned char *block = kv;
    assert(T <= layout->capacity);
    for (size_t b = 0; b < B; b++)
        for (size_t h = 0; h < l->KV; h++)
            for (size_t i = 0; i < 2; i++, block += context_layout_block(layout)) {
                const float *x = qkv + b * T * l->row + (i ? l->v : l->k) + h * l->kv_step;
                if (layout->precision == CONTEXT_HALF)
                    pack_block(block, x, T, l, CONTEXT_HALF);
                else
                    pack_block(block, x, T, l, CONTEXT_SINGLE);
            }
}

void context_layout_append(void *restrict kv, const float *restrict qkv, size_t at,
                           const struct context_layout *layout) {
    const struct head_layout *l = &layout->heads;
    const size_t number = context_layout_number(layout->precision), lane = at % LANES;
    unsigned char *place = (unsigned char *)kv + ((at - lane) * l->D + lane) * number;
    assert(at < layout->capacity);
    for (size_t h = 0; h < l->KV; h++)
        for (size_t i = 0; i < 2; i++, place += context_layout_block(layout))
            pack_tile(place, qkv + (i ? l->v : l->k) + h * l->kv_step, 1, l->D, l->row,
                      layout->precision);
}
