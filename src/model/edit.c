#include "model/edit.h"

#include <assert.h>
#include <string.h>

#include "ops/blas.h"
#include "ops/vector_ops.h"

void edit_add(float *restrict x, const float *restrict values, float scale, size_t E) {
    for (size_t e = 0; e < E; e++) {
        const float v = scale * values[e];
        x[e] = v != 0.0f ? x[e] + v : x[e]; /* -0 + 0 would be +0 */
    }
}

static void mix_values(float *restrict x, const float *restrict values, float gate, size_t n) {
    if (gate == 0.0f) return;
    for (size_t i = 0; i < n; i++) x[i] = (1.0f - gate) * x[i] + gate * values[i];
}

/* A sum of 0 stays 0: it has no direction to scale. */
static void steer_values(float *x, const float *values, float scale, size_t n) {
    const double before = vector_norm(x, n);
    edit_add(x, values, scale, n);
    const double after = vector_norm(x, n);
    if (after > 0) vector_scale(x, (float)(before / after), n);
}

/* A x + c is complete before x changes. */
static void apply_map(float *restrict x, const struct edit_map *m, size_t r, size_t n,
                      float *restrict y) {
    const float *A = m->A + r * m->A_stride, *B = m->B ? m->B + r * m->B_stride : NULL;
    const float *c = m->c ? m->c + r * m->c_stride : NULL;
    blas_gemm(y, x, A, BLAS_N, BLAS_T, 1.0f, 0.0f, 1, m->rank, n, n, n, m->rank);
    if (c) vector_add(y, c, m->rank);
    if (!B) edit_add(x, y, 1.0f, n);
    for (size_t k = 0; B && k < m->rank; k++) edit_add(x, B + k * n, y[k], n);
}

void edit_apply(float *x, const struct edit *e, size_t r, size_t E, float *scratch) {
    const size_t n = edit_width(e, E);
    const float *values = e->values ? edit_row(e, r) : NULL;
    assert(e->from + n <= E);
    switch (e->operation) {
    case EDIT_ADD:
        edit_add(x + e->from, values, e->scale, n);
        return;
    case EDIT_REPLACE:
        memcpy(x + e->from, values, n * sizeof *x);
        return;
    case EDIT_MIX:
        mix_values(x + e->from, values, e->scale, n);
        return;
    case EDIT_STEER:
        steer_values(x + e->from, values, e->scale, n);
        return;
    case EDIT_MAP:
        assert(e->map.rank <= E && (e->map.B || e->map.rank == n));
        apply_map(x + e->from, &e->map, r, n, scratch);
        return;
    }
}
