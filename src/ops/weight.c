#include "ops/weight.h"

#include <assert.h>
#include <string.h>

#include "ops/blas.h"
#include "ops/half_lanes.h"
#include "ops/onednn.h"
#include "ops/vector_ops.h"
#include "ops/weight_pack.h"

/* ---- widening */

static inline lanes bfloat_lanes_widen(const void *from) {
    typedef uint16_t bfloats __attribute__((vector_size(16)));
    bfloats x;
    memcpy(&x, from, sizeof x);
    return (lanes)(__builtin_convertvector(x, lane_bits) << 16);
}

static inline lanes widen_lanes(const unsigned char *from, enum weight_type type) {
    return type == WEIGHT_F16 ? half_lanes_widen(from) : bfloat_lanes_widen(from);
}

static void widen_row(float *restrict out, const unsigned char *from, size_t n,
                      enum weight_type type) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) lanes_store(out + i, widen_lanes(from + 2 * i, type));
    if (i == n) return;
    unsigned char tail[2 * LANES] = {0};
    memcpy(tail, from + 2 * i, 2 * (n - i));
    lanes_store_tail(out + i, widen_lanes(tail, type), n - i);
}

void weight_widen(float *restrict out, const struct weight *W, size_t first, size_t rows,
                  size_t columns, size_t ld) {
    const unsigned char *narrow = W->narrow;
    for (size_t r = 0; r < rows; r++, first += ld, out += columns) {
        if (W->type == WEIGHT_F32)
            memcpy(out, W->f32 + first, columns * sizeof *out);
        else
            widen_row(out, narrow + 2 * first, columns, W->type);
    }
}

struct weight_map weight_map_part(const struct weight_map *m, size_t first, size_t n) {
    struct weight_map part = *m;
    assert(m->layout == LINEAR_OUT_IN && first + n <= m->O);
    if (m->W.f32) part.W.f32 += first * m->I;
    if (m->W.narrow) part.W.narrow = (const unsigned char *)m->W.narrow + 2 * first * m->I;
    if (m->b) part.b += first;
    if (m->W.pack) part.W.pack += first / WEIGHT_PACK_TILE;
    assert(!m->W.pack || first % WEIGHT_PACK_TILE == 0);
    part.O = n;
    return part;
}

/* ---- tiles */

/* The outputs o .. o + n - 1 of a map as a matrix of floats: [n, I] if transposed, else [I, n]. */
struct part {
    const float *w;
    size_t o, n, ld;
    enum blas_op op; /* that makes it [I, n] */
};

/* The outputs from o on: all of them if W holds floats, else as many as a tile has room for. */
static struct part part_at(const struct weight_map *m, size_t o) {
    const bool in_out = m->layout == LINEAR_IN_OUT;
    struct part p = {m->W.f32, o, m->O - o, in_out ? m->O : m->I, in_out ? BLAS_N : BLAS_T};
    if (m->W.type == WEIGHT_F32) return p;
    const size_t room = WEIGHT_TILE / m->I;
    assert(room > 0 && m->W.tile);
    if (p.n > room) p.n = room;
    if (in_out)
        weight_widen(m->W.tile, &m->W, o, m->I, p.ld = p.n, m->O);
    else
        weight_widen(m->W.tile, &m->W, o * m->I, p.n, m->I, m->I);
    p.w = m->W.tile;
    return p;
}

/* C = op(A) op(B) + beta C by the library of the map. */
static void multiply(const struct weight_map *m, float *restrict C, const float *restrict A,
                     const float *restrict B, enum blas_op op_a, enum blas_op op_b, float beta,
                     const size_t size[3], const size_t ld[3]) {
    if (m->W.library)
        onednn_gemm(m->W.library, C, A, B, op_a, op_b, beta, size[0], size[1], size[2], ld[0],
                    ld[1], ld[2]);
    else
        blas_gemm(C, A, B, op_a, op_b, 1.0f, beta, size[0], size[1], size[2], ld[0], ld[1], ld[2]);
}

/* beta = 0 or 1 of a product that is added. */
static void clear_rows(float *y, size_t ldy, float beta, size_t N, size_t O) {
    for (size_t n = 0; beta == 0.0f && n < N; n++) memset(y + n * ldy, 0, O * sizeof *y);
}

static void add_product(float *restrict y, size_t ldy, float beta, const float *restrict x,
                        const struct weight_map *m, size_t N) {
    struct part p;
    if (m->W.pack) {
        clear_rows(y, ldy, beta, N, m->O);
        weight_pack_forward(y, ldy, x, m, N);
        return;
    }
    for (size_t o = 0; o < m->O; o += p.n) {
        p = part_at(m, o);
        multiply(m, y + o, x, p.w, BLAS_N, p.op, beta, (size_t[]){N, p.n, m->I},
                 (size_t[]){m->I, p.ld, ldy});
    }
}

void weight_forward(float *restrict y, size_t ldy, const float *restrict x,
                    const struct weight_map *m, size_t N) {
    for (size_t n = 0; m->b && n < N; n++) memcpy(y + n * ldy, m->b, m->O * sizeof *y);
    add_product(y, ldy, m->b ? 1.0f : 0.0f, x, m, N);
}

void weight_add(float *restrict y, size_t ldy, const float *restrict x, const struct weight_map *m,
                size_t N) {
    add_product(y, ldy, 1.0f, x, m, N);
}

void weight_forward_onto(float *restrict y, const float *restrict base, const float *restrict x,
                         const struct weight_map *m, size_t N) {
    const size_t O = m->O;
    if (!m->b) memcpy(y, base, N * O * sizeof *y);
    for (size_t n = 0; m->b && n < N; n++)
        for (size_t o = 0; o < O; o++) y[n * O + o] = base[n * O + o] + m->b[o];
    add_product(y, O, 1.0f, x, m, N);
}

void weight_backward(float *restrict dx, float beta, const float *restrict dy, size_t ldy,
                     const struct weight_map *m, size_t N) {
    struct part p;
    if (m->W.pack) {
        clear_rows(dx, m->I, beta, N, m->I);
        weight_pack_backward(dx, dy, ldy, m, N);
        return;
    }
    for (size_t o = 0; o < m->O; o += p.n, beta = 1.0f) {
        p = part_at(m, o);
        multiply(m, dx, dy + o, p.w, BLAS_N, p.op == BLAS_N ? BLAS_T : BLAS_N, beta,
                 (size_t[]){N, m->I, p.n}, (size_t[]){ldy, p.ld, m->I});
    }
}

void weight_gradient(float *restrict dW, float *restrict db, const float *restrict dy, size_t ldy,
                     const float *restrict x, const struct weight_map *m, size_t N) {
    const size_t I = m->I, O = m->O;
    if (dW && m->W.pack)
        weight_pack_gradient(dW, dy, ldy, x, m, N);
    else if (dW && m->layout == LINEAR_IN_OUT)
        multiply(m, dW, x, dy, BLAS_T, BLAS_N, 1.0f, (size_t[]){I, O, N}, (size_t[]){I, ldy, O});
    else if (dW)
        multiply(m, dW, dy, x, BLAS_T, BLAS_N, 1.0f, (size_t[]){O, I, N}, (size_t[]){ldy, I, I});
    if (db) rows_sum_apart(db, dy, N, O, ldy);
}
