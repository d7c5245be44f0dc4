#include "model/edit_gradient.h"

#include <assert.h>
#include <string.h>

#include "ops/blas.h"
#include "ops/vector_ops.h"

static bool is_at(const struct edit *e, size_t layer, enum edit_site site) {
    return e->layer == layer && e->site == site;
}

bool edits_any_at(const struct edits *edits, size_t layer, enum edit_site site) {
    for (size_t i = 0; i < edits->n; i++)
        if (is_at(&edits->items[i], layer, site)) return true;
    return false;
}

bool edits_query_at(const struct edits *edits, size_t layer, enum edit_site site) {
    for (size_t i = 0; i < edits->n; i++)
        if (is_at(&edits->items[i], layer, site) && edits->items[i].scope == EDIT_QUERY)
            return true;
    return false;
}

bool edits_nonadditive_at(const struct edits *edits, size_t layer, enum edit_site site) {
    for (size_t i = 0; i < edits->n; i++)
        if (is_at(&edits->items[i], layer, site) && edits->items[i].operation != EDIT_ADD)
            return true;
    return false;
}

float edits_factor_at(const struct edits *edits, size_t layer, enum edit_site site) {
    float factor = 1;
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        if (!is_at(e, layer, site)) continue;
        assert(e->scope == EDIT_ALL && e->n == 0 && e->from == 0);
        assert(e->operation == EDIT_ADD || e->operation == EDIT_MIX);
        if (e->operation == EDIT_MIX) factor *= 1.0f - e->scale;
    }
    return factor;
}

/* g += A^T (B g) */
static void map_backward(float *restrict g, const struct edit_map *m, size_t r, size_t n,
                         float *restrict dy) {
    const float *A = m->A + r * m->A_stride, *B = m->B ? m->B + r * m->B_stride : NULL;
    if (B)
        blas_gemm(dy, g, B, BLAS_N, BLAS_T, 1.0f, 0.0f, 1, m->rank, n, n, n, m->rank);
    else
        memcpy(dy, g, n * sizeof *g);
    for (size_t k = 0; k < m->rank; k++) vector_axpy(g, dy[k], A + k * n, n);
}

/* One row, edited with row r of the values or matrices. */
static void edit_backward(float *g, const struct edit *e, size_t r, size_t E, float *scratch) {
    const size_t n = edit_width(e, E);
    switch (e->operation) {
    case EDIT_ADD:
        return;
    case EDIT_REPLACE:
        memset(g + e->from, 0, n * sizeof *g);
        return;
    case EDIT_MIX:
        vector_scale(g + e->from, 1.0f - e->scale, n);
        return;
    case EDIT_STEER:
        assert(false); /* not affine; no method learns through it */
        return;
    case EDIT_MAP:
        map_backward(g + e->from, &e->map, r, n, scratch);
        return;
    }
}

void edits_backward(float *g, const struct edits *edits, size_t layer, enum edit_site site,
                    const uint32_t *earlier, size_t R, size_t E, float *scratch) {
    for (size_t i = edits->n; i-- > 0;) {
        const struct edit *e = &edits->items[i];
        if (!is_at(e, layer, site)) continue;
        for (size_t r = 0; r < R; r++)
            if (edit_reaches(e, earlier ? earlier[r] : 0))
                edit_backward(g + r * E, e, edits->index ? edits->index[r] : r, E, scratch);
    }
}
