/*
 * In-context vector: the state h of every token after every block is rotated towards the change
 * that an answer makes, h' = (h + scale v) |h| / |h + scale v|.
 *
 * The step of a prompt (BASIS_STEP) is the state at the last y minus that at the last x, at the
 * embedding and after every block (the last one after ln_f), scaled to norm 1 over all of them.
 * Block l uses stage l + 1 - icv.layer_shift. Derivation: the first principal component of the
 * steps of the first icv.prompts training prompts, of norm 1, by a singular value decomposition
 * of the centred steps; its sign makes the largest absolute entry of the left singular vector
 * positive. With basis "mean" v is the mean step plus that component; with "prompt" it is the
 * step of the prompt, since one prompt has no principal component.
 *
 * As published for regression: layer_shift 1, scale 1.5, basis "mean".
 *
 * Source: Liu, Ye, Xing, Zou, "In-Context Vectors", ICML 2024, arXiv:2311.06668; regression port
 *   by Saglam et al., arXiv:2502.05390.
 * Sees: T0 examples of the function through the basis prompt; with basis "mean", none.
 * Cost: a separate context for every prompt, since all tokens are edited.
 * Deviations from the paper: docs/methods.md.
 */
#include "methods/icv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_collector.h"
#include "ops/lapack.h"

static size_t stages(const struct method_setup *s) { return s->params->dims.L + 1; }

static unsigned icv_basis(const struct method_setup *s) {
    (void)s;
    return basis_bit(BASIS_STEP);
}

static void icv_shape(size_t shape[2], const struct method_setup *s) {
    shape[0] = stages(s);
    shape[1] = s->params->dims.E;
}

/* v [L + 1, R, E]: all stages; the edits use L of them. */
static void icv_vector(float *v, const float *w, const struct basis *b,
                       const struct method_setup *s, float *scratch) {
    const size_t E = s->params->dims.E, R = b->R;
    const bool mean = icv_keys(s).mean;
    (void)scratch;
    for (size_t i = 0; i < stages(s); i++)
        for (size_t r = 0; r < R; r++)
            for (size_t e = 0; e < E; e++) {
                const float step = b->part[BASIS_STEP][(i * b->stride + r) * E + e];
                v[(i * R + r) * E + e] = mean ? step + w[i * E + e] : step;
            }
}

static size_t icv_edits(struct edit *items, const float *v, const float *w, size_t R,
                        const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    const struct icv_keys keys = icv_keys(s);
    (void)w;
    for (size_t l = 0; l < d->L; l++)
        items[l] = (struct edit){.layer = l,
                                 .scope = EDIT_ALL,
                                 .operation = EDIT_STEER,
                                 .scale = (float)keys.scale,
                                 .values = v + (l + 1 - keys.layer_shift) * R * d->E,
                                 .row_stride = R > 1 ? d->E : 0};
    return d->L;
}

/* ---- the derivation */

static size_t icv_derive_bytes(const struct method_setup *s, const struct method_training *t) {
    const struct model_dims *d = &s->params->dims;
    const size_t n = method_first_prompts(t, icv_keys(s).prompts), N = method_weights(s),
                 K = n < N ? n : N;
    const struct basis_size size = method_basis_size(t);
    const size_t svd = 2 * n * N + 2 * (n + N) * K + 8 * K * K; /* with the workspace of LAPACK */
    return basis_set_bytes(d, icv_basis(s), n) +
           method_collector_bytes(s, &size, t->chunk, t->contexts) + svd * sizeof(double);
}

static enum err_code collect(struct basis_set *steps, const struct method_training *t,
                             const struct method_setup *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct basis_collector *c = NULL;
    const struct basis_size size = method_basis_size(t);
    const struct prompt_view used = prompt_view_part(&t->prompts, 0, steps->n);
    TRY(method_collector_create(&c, s, NULL, &size, t->chunk, t->contexts, err));
    basis_collector_share(c, t->share);
    for (size_t first = 0; first < steps->n; first += t->chunk) {
        const struct prompt_view part = prompt_view_chunk(&used, first, t->chunk);
        basis_collector_run_at(steps, first, c, s->params, &part);
        if (t->report) TRY(t->report(t->context, (double)(first + part.n), (double)steps->n, err));
    }
cleanup:
    basis_collector_destroy(c);
    return rc;
}

/* A [n, (L + 1) E]: the steps minus their mean. */
static void centre(double *A, const struct basis_set *steps, size_t stage_count) {
    const size_t n = steps->n, E = steps->dims.E, N = stage_count * E;
    for (size_t j = 0; j < N; j++) {
        const float *column = steps->part[BASIS_STEP] + j / E * n * E + j % E;
        double mean = 0;
        for (size_t r = 0; r < n; r++) mean += (double)column[r * E];
        mean /= (double)n;
        for (size_t r = 0; r < n; r++) A[r * N + j] = (double)column[r * E] - mean;
    }
}

/* Sign of the entry of column 0 of U [n, K] with the largest absolute value. */
static double sign_of(const double *U, size_t n, size_t K) {
    double largest = 0;
    for (size_t r = 0; r < n; r++)
        if (fabs(U[r * K]) > fabs(largest)) largest = U[r * K];
    return largest < 0 ? -1 : 1;
}

/* w [N] = first principal component of the rows of A [n, N], or zeros if all rows are equal. */
static enum err_code first_component(float *w, double *A, size_t n, size_t N, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t K = n < N ? n : N;
    double *U = calloc(n * K, sizeof *U), *values = calloc(K, sizeof *values);
    double *Vt = calloc(K * N, sizeof *Vt);
    CHECK(U && values && Vt, ERR_MEMORY, "no memory for a decomposition of %zu x %zu", n, N);
    TRY(lapack_svd(U, values, Vt, A, n, N, err));
    const double sign = values[0] > 0 ? sign_of(U, n, K) : 0;
    for (size_t j = 0; j < N; j++) w[j] = (float)(sign * Vt[j]);
cleanup:
    free(Vt);
    free(values);
    free(U);
    return rc;
}

static enum err_code icv_derive(float *w, const struct method_training *t,
                                const struct method_setup *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = method_first_prompts(t, icv_keys(s).prompts), N = method_weights(s);
    struct basis_set steps = {0};
    double *A = calloc(n * N, sizeof *A);
    CHECK(A, ERR_MEMORY, "no memory for the steps of %zu prompts", n);
    TRY(basis_set_create(&steps, &s->params->dims, icv_basis(s), n, err));
    TRY(collect(&steps, t, s, err));
    centre(A, &steps, stages(s));
    TRY(first_component(w, A, n, N, err));
cleanup:
    basis_set_destroy(&steps);
    free(A);
    return rc;
}

/* ---- keys */

static void icv_read(struct method_setup *s, const struct config_point *point) {
    icv_set_keys(s, (struct icv_keys){
                        .scale = config_float(point, "icv.scale"),
                        .layer_shift = (size_t)config_int(point, "icv.layer_shift"),
                        .mean = strcmp(config_text(point, "basis"), "mean") == 0,
                        .prompts = config_int(point, "icv.prompts"),
                    });
}

static const struct config_key KEYS[] = {
    {
        .name = "icv.scale",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = -1e6,
        .max = 1e6,
        .def = "0.1",
        .when = "method=icv",
        .unit = "",
        .meaning =
            "Strength (lambda) of the rotation of a state towards the vector (published: 1.5).",
    },
    {
        .name = "icv.layer_shift",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1,
        .def = "0",
        .when = "method=icv",
        .unit = "stages",
        .meaning = "Whether block l uses the change of the state after it (0) or before it (1, "
                   "published regression code).",
    },
    {
        .name = "icv.prompts",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e5,
        .def = "256",
        .when = "method=icv",
        .unit = "prompts",
        .meaning =
            "Number of training prompts, from the first, used for the principal component; 0 "
            "means all.",
    },
};

extern const struct method method_icv;
const struct method method_icv = {
    .name = "icv",
    .docs = {.meaning = "In-context vector: rotates the states of all tokens towards the change "
                        "that an answer makes.",
             .paper = "Liu et al., ICML 2024, arXiv:2311.06668",
             .sees = "T0 examples of the function (basis \"prompt\"), or none (basis \"mean\")",
             .cost = "a separate context for every prompt, and one basis prompt per function",
             .text = "the step is that from the last token of a basis prompt to that of its answer",
             .weights = "(L + 1) x E: the first principal component of the steps",
             .vector = "v_i = basis_step_i, with basis \"mean\" + weights_i",
             .place = "rescales the output of every block l by icv.scale v_i with i = l + 1 - "
                      "icv.layer_shift; all"},
    .config = {.rows = KEYS, .n = sizeof KEYS / sizeof *KEYS, .read = icv_read},
    .inputs = {.basis = icv_basis},
    .derivation = {.weights_shape = icv_shape, .derive = icv_derive, .bytes = icv_derive_bytes},
    .application = {.scope = EDIT_ALL,
                    .vector = icv_vector,
                    .values = method_weights,
                    .edits = icv_edits},
};
