/*
 * LoReFT: a low-rank edit of the residual state h after one layer at the query, h + R^T (W h + b
 * - R h), with the `rank` rows of R orthonormal; the same for every prompt. The layer is chosen
 * on validation prompts.
 *
 * R is the Gram-Schmidt basis of `rank` free rows M, so it stays orthonormal under any
 * optimiser, and gradients go through that map. A row of the weights [rank, 2 E + 1] is a row of
 * M, one of W, and an entry of b. The edit is x + B^T (A x + c) with B = R, A = W - R, c = b,
 * stored in v in the order A, B, c.
 *
 * Source: Wu et al., "ReFT", NeurIPS 2024, arXiv:2404.03592, equation 2.
 * Sees: nothing of the function.
 * Cost: none.
 * Deviations from the paper: docs/methods.md.
 */
#include "methods/loreft.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "methods/layer_choice.h"
#include "ops/blas.h"
#include "ops/vector_ops.h"

static size_t rank_of(const struct method_setup *s) {
    const int64_t rank = loreft_keys(s).rank;
    return rank > 0 ? (size_t)rank : 1;
}

static size_t row_width(const struct method_setup *s) { return 2 * s->params->dims.E + 1; }

static void loreft_shape(size_t shape[2], const struct method_setup *s) {
    shape[0] = rank_of(s);
    shape[1] = row_width(s);
}

struct rows { /* [rank, E], `stride` floats apart */
    size_t rank, stride, E;
};

/* Gram-Schmidt: row i of q is the part of row i of M outside the span of the earlier rows, at
 * norm 1. */
static void orthonormal(float *q, size_t q_stride, const float *M, const struct rows *at) {
    for (size_t i = 0; i < at->rank; i++) {
        const float *m = M + i * at->stride;
        float *row = q + i * q_stride;
        memcpy(row, m, at->E * sizeof *row);
        for (size_t j = 0; j < i; j++) {
            const float *earlier = q + j * q_stride;
            vector_axpy(row, -(float)vector_dot(earlier, m, at->E), earlier, at->E);
        }
        vector_scale(row, (float)(1 / vector_norm(row, at->E)), at->E);
    }
}

/* dM += the gradient of M from dq, which is overwritten; row i of M affects all later rows of q. */
static void orthonormal_backward(float *dM, float *dq, const float *q, const float *M,
                                 const struct rows *at) {
    const size_t E = at->E;
    for (size_t i = at->rank; i-- > 0;) {
        const float *m = M + i * at->stride, *own = q + i * E;
        float *dn = dq + i * E; /* gradient of the row before scaling */
        vector_axpy(dn, -(float)vector_dot(dn, own, E), own, E);
        vector_scale(dn, (float)(1 / vector_dot(own, m, E)), E);
        vector_add(dM + i * at->stride, dn, E);
        for (size_t j = 0; j < i; j++) {
            const float *earlier = q + j * E;
            const float along = (float)vector_dot(earlier, dn, E);
            vector_axpy(dM + i * at->stride, -along, earlier, E);
            vector_axpy(dq + j * E, -(float)vector_dot(earlier, m, E), dn, E);
            vector_axpy(dq + j * E, -along, m, E);
        }
    }
}

static struct rows loreft_rows(const struct method_setup *s) {
    return (struct rows){rank_of(s), row_width(s), s->params->dims.E};
}

/* W = R and b = 0, which is no edit, plus noise of size `init` on both. */
static void loreft_init(float *w, const struct method_setup *s, const struct rng *stream) {
    const struct rows at = loreft_rows(s);
    const size_t E = at.E;
    for (size_t i = 0; i < at.rank; i++) rng_normals(w + i * at.stride, E, stream, 0, i);
    orthonormal(w + E, at.stride, w, &at);
    for (size_t i = 0; i < at.rank; i++) w[i * at.stride + 2 * E] = 0;
    for (size_t i = 0; i < at.rank * (E + 1); i++) {
        float normal;
        rng_normals(&normal, 1, stream, 1, i);
        w[i / (E + 1) * at.stride + E + i % (E + 1)] += (float)s->init * normal;
    }
}

/* v: A [rank, E], B [rank, E], c [rank]. */
static void loreft_vector(float *v, const float *w, const struct basis *b,
                          const struct method_setup *s, float *scratch) {
    (void)b, (void)scratch;
    const struct rows at = loreft_rows(s);
    const size_t E = at.E;
    float *A = v, *B = A + at.rank * E, *c = B + at.rank * E;
    orthonormal(B, E, w, &at);
    for (size_t i = 0; i < at.rank; i++) {
        const float *W = w + i * at.stride + E;
        for (size_t e = 0; e < E; e++) A[i * E + e] = W[e] - B[i * E + e];
        c[i] = W[E];
    }
}

static size_t loreft_edits(struct edit *items, const float *v, const float *w, size_t R,
                           const struct method_setup *s) {
    (void)w, (void)R;
    const size_t n = rank_of(s) * s->params->dims.E;
    items[0] = (struct edit){.layer = layer_choice_of(s),
                             .operation = EDIT_MAP,
                             .map = {.rank = rank_of(s), .A = v, .B = v + n, .c = v + 2 * n}};
    return 1;
}

/* [R, rank] twice, [rank, E] twice. */
static size_t loreft_scratch(const struct method_setup *s, size_t R) {
    return 2 * rank_of(s) * (R + s->params->dims.E);
}

/* With u = A x + c and du = B g a row: dB = u^T g, dA = du^T x, dc = sum of du; then dW = dA,
 * db = dc, and R gets dB - dA. */
static void loreft_gradient_at(float *dw, const struct query_place *at, const float *v,
                               const float *w, const struct basis *b, const struct method_setup *s,
                               float *scratch) {
    (void)b;
    const struct rows rows = loreft_rows(s);
    const size_t E = rows.E, rank = rows.rank, R = at->R;
    const float *A = v, *B = A + rank * E, *c = B + rank * E;
    float *u = scratch, *du = u + R * rank, *dA = du + R * rank, *dq = dA + rank * E;
    assert(at->site == EDIT_BLOCK && at->x);
    for (size_t r = 0; r < R; r++) memcpy(u + r * rank, c, rank * sizeof *u);
    blas_gemm(u, at->x, A, BLAS_N, BLAS_T, 1, 1, R, rank, E, E, E, rank);
    blas_gemm(du, at->g, B, BLAS_N, BLAS_T, 1, 0, R, rank, E, E, E, rank);
    blas_gemm(dA, du, at->x, BLAS_T, BLAS_N, 1, 0, rank, E, R, rank, E, E);
    blas_gemm(dq, u, at->g, BLAS_T, BLAS_N, 1, 0, rank, E, R, rank, E, E);
    vector_axpy(dq, -1, dA, rank * E);
    for (size_t i = 0; i < rank; i++) vector_add(dw + i * rows.stride + E, dA + i * E, E);
    for (size_t i = 0; i < R * rank; i++) dw[i % rank * rows.stride + 2 * E] += du[i];
    orthonormal_backward(dw, dq, B, w, &rows);
}

static enum err_code loreft_check(const struct method_setup *s, const struct config_point *point,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t E = s->params->dims.E;
    TRY(layer_choice_check(s, point, "loreft.layer", err));
    CHECK_CONFIG(rank_of(s) <= E, point, "loreft.rank",
                 "%zu rows of width %zu cannot be orthonormal: lower the rank", rank_of(s), E);
cleanup:
    return rc;
}

static void loreft_read(struct method_setup *s, const struct config_point *point) {
    layer_choice_read(s, point, "loreft.layer");
    loreft_set_keys(s, (struct loreft_keys){.rank = config_int(point, "loreft.rank")});
    s->init = config_float(point, "loreft.init");
}

static const struct config_key KEYS[] = {
    LAYER_CHOICE_KEY("loreft", "layer", "Layer after which the edit acts, counted from 0"),
    {
        .name = "loreft.rank",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e4,
        .def = "4",
        .when = "method=loreft",
        .unit = "",
        .meaning = "Rank of the edit: the number of rows of R, W and b.",
    },
    {
        .name = "loreft.init",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 0,
        .max = 1e3,
        .def = "0.01",
        .when = "method=loreft",
        .unit = "",
        .meaning = "Standard deviation of the initial W - R and b; 0 starts without an edit "
                   "(published: of W alone).",
    },
};

extern const struct method method_loreft;
const struct method method_loreft = {
    .name = "loreft",
    .docs = {.meaning =
                 "Low-rank edit after one layer, h + R^T (W h + b - R h), the same for every "
                 "prompt.",
             .paper = "Wu et al., arXiv:2404.03592",
             .sees = "nothing",
             .cost = "none",
             .weights = "rank x (2 E + 1): M, W and b in each row",
             .vector =
                 "v = A, B, c with B = the Gram-Schmidt basis of the rows of M, A = W - B, c = b",
             .place = "adds B^T (A x + c) to the output x of block l (affine), where l is "
                      "loreft.layer, or choice; query"},
    .config = {.rows = KEYS,
               .n = sizeof KEYS / sizeof *KEYS,
               .read = loreft_read,
               .check = loreft_check},
    .derivation = {.weights_shape = loreft_shape,
                   .init = loreft_init,
                   .choices = layer_choice_count,
                   .chosen = layer_choice_shown},
    .application = {.maps = true,
                    .vector = loreft_vector,
                    .values = method_weights,
                    .edits = loreft_edits,
                    .edits_most = method_one_edit,
                    .gradient_at = loreft_gradient_at,
                    .scratch = loreft_scratch},
};
