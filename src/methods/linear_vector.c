/*
 * Linear task vector: the last state h of the query, before the final norm, becomes h + W h. W
 * is the ridge regression of the changes d_i, which the examples cause in the last states of
 * anchors (queries without labels), on the states h_i of the anchors without examples. The form
 * `constant` adds the mean of d_i instead.
 *
 * With a column per anchor in H and D, W = D H^T (H H^T + r)^-1. Anchors and H are the same for
 * every function, so with the thin decomposition H^T = U S V^T
 *
 *   W = sum over k of (D u_k) s_k / (s_k^2 + r) v_k^T,
 *
 * which is the primal and the dual solution at once, for every r. The basis of a function is D
 * u_k for every k. Weights: a row [inputs + 2 E] per anchor: x, h, and its entries of u_1 .. u_E
 * (basis_collector.h).
 *
 * Of text, an anchor is the query of a training pair, and its change is that which T0 - 1 shots of
 * its own make: a map of the task, made once by the fit. Its weights have the change in place of x.
 *
 * Source: Kwon et al. 2026, arXiv:2605.20730. The ridge weight r is 5 there, chosen on
 *   validation prompts here.
 * Sees: T0 - 1 examples of the function through the basis prompt; with basis "mean", none.
 * Cost: one basis prompt and one token per anchor for each function.
 * Deviations from the paper: docs/methods.md.
 */
#include "methods/linear_vector.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/query.h"
#include "ops/blas.h"
#include "ops/lapack.h"
#include "ops/vector_ops.h"

static const char *const FORMS[] = {"linear", "constant", NULL};
static const double GRID[] = {0.05, 0.5, 5, 50, 500, 5e3, 5e4};

static size_t anchors_of(const struct method_setup *s) {
    return (size_t)linear_vector_keys(s).anchors;
}

static bool is_text(const struct model_dims *d) { return d->vocabulary > 0; }

/* A row: x, or of text nothing; the state alone; coefficients; of text the change of the state. */
static size_t values_of_map(const struct model_dims *d) {
    return d->inputs + (is_text(d) ? 3 : 2) * d->E;
}

static unsigned linear_basis(const struct method_setup *s) {
    return is_text(&s->params->dims) ? 0 : basis_bit(BASIS_ANCHORS);
}

static void linear_anchors(struct basis_anchors *out, const float *w,
                           const struct method_setup *s) {
    *out = (struct basis_anchors){is_text(&s->params->dims) ? 0 : anchors_of(s), w};
}

static void linear_texts(size_t n[], const struct method_setup *s, size_t train) {
    (void)train;
    n[METHOD_CLEAN] = n[METHOD_ALONE] = anchors_of(s);
}

static void linear_shape(size_t shape[2], const struct method_setup *s) {
    shape[0] = anchors_of(s);
    shape[1] = values_of_map(&s->params->dims);
}

static size_t linear_choices(const struct method_setup *s) {
    const bool open = s->variant == LINEAR_MAP && linear_vector_keys(s).ridge == 0;
    return open ? sizeof GRID / sizeof *GRID : 1;
}

static double ridge_of(const struct method_setup *s) {
    const double given = linear_vector_keys(s).ridge;
    return given > 0 ? given : GRID[s->choice];
}

static double linear_chosen(const struct method_setup *s) {
    return s->variant == LINEAR_MAP ? ridge_of(s) : (double)NAN;
}

/* ---- the anchors */

/* Covariates of the training prompts: the first x of each prompt, then the second x of each. */
static void pick_anchors(float *w, const struct prompt_view *p, const struct method_setup *s) {
    for (size_t i = 0; i < anchors_of(s); i++)
        memcpy(w + i * values_of_map(&s->params->dims),
               prompt_view_x(p, i % p->n, i / p->n % p->points), p->dims * sizeof *w);
}

/* Left singular vectors of H^T [n, E]; 1/n for the constant form, whose block 0 is the mean. */
static enum err_code find_directions(float *w, const struct method_setup *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    const size_t n = anchors_of(s), E = d->E, K = n < E ? n : E, row = values_of_map(d);
    float *share = w + d->inputs + E;
    double *H = calloc(n * E + n * K + K + K * E, sizeof *H);
    CHECK(H, ERR_MEMORY, "no memory for %zu anchors", n);
    double *U = H + n * E, *values = U + n * K, *Vt = values + K;
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < E; e++) H[i * E + e] = (double)w[i * row + d->inputs + e];
    if (s->variant == LINEAR_MAP) TRY(lapack_svd(U, values, Vt, H, n, E, err));
    for (size_t i = 0; i < n; i++) {
        memset(share + i * row, 0, E * sizeof *share);
        for (size_t k = 0; k < K && s->variant == LINEAR_MAP; k++)
            share[i * row + k] = (float)U[i * K + k];
        if (s->variant == LINEAR_CONSTANT) share[i * row] = 1.0F / (float)n;
    }
cleanup:
    free(H);
    return rc;
}

/* The last state of each anchor, read as a prompt without examples. */
static enum err_code read_alone(float *w, const struct method_setup *s,
                                enum context_precision contexts, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    const size_t n = anchors_of(s), row = values_of_map(d);
    const struct edits none = {0};
    struct context nothing = {0};
    struct query q = {0};
    uint32_t *zeros = calloc(n, sizeof *zeros);
    float *x = calloc(n * d->inputs, sizeof *x);
    CHECK(zeros && x, ERR_MEMORY, "no memory for %zu anchors", n);
    TRY(context_create(&nothing, d, 1, 0, contexts, err));
    TRY(query_create(&q, d, n, 0, false, err));
    for (size_t i = 0; i < n; i++) memcpy(x + i * d->inputs, w + i * row, d->inputs * sizeof *x);
    query_forward(&q, s->params, &nothing,
                  &(struct query_rows){.R = n, .slot = zeros, .length = zeros, .x = x}, &none);
    const float *last = q.x + d->L * q.capacity * d->E;
    for (size_t i = 0; i < n; i++)
        memcpy(w + i * row + d->inputs, last + i * d->E, d->E * sizeof *w);
cleanup:
    query_destroy(&q);
    context_destroy(&nothing);
    free(x);
    free(zeros);
    return rc;
}

/* Of text: the last state at the last token of each prompt, at `to` of the row of its anchor. */
static enum err_code read_last(float *to, const struct prompt_view *prompts,
                               const struct method_training *t, const struct method_setup *s,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    struct basis_collector *c = NULL;
    struct basis_set states = {0};
    TRY(basis_set_create(&states, d, basis_bit(BASIS_STATE), t->chunk, err));
    TRY(basis_collector_create_text(&c, d, t->tokens, t->chunk, t->contexts, err));
    basis_collector_share(c, t->share);
    for (size_t first = 0; first < prompts->n; first += t->chunk) {
        const struct prompt_view part = prompt_view_chunk(prompts, first, t->chunk);
        basis_collector_run(&states, c, s->params, &part);
        for (size_t i = 0; i < part.n; i++)
            memcpy(to + (first + i) * values_of_map(d),
                   states.part[BASIS_STATE] + ((d->L - 1) * states.n + i) * d->E,
                   d->E * sizeof *to);
        if (t->report)
            TRY(t->report(t->context, (double)(first + part.n), (double)prompts->n, err));
    }
cleanup:
    basis_collector_destroy(c);
    basis_set_destroy(&states);
    return rc;
}

static enum err_code read_text(float *w, const struct method_training *t,
                               const struct method_setup *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t E = s->params->dims.E, row = values_of_map(&s->params->dims);
    TRY(read_last(w, &t->texts[METHOD_ALONE], t, s, err));
    TRY(read_last(w + 2 * E, &t->texts[METHOD_CLEAN], t, s, err));
    for (size_t i = 0; i < anchors_of(s); i++)
        for (size_t e = 0; e < E; e++) w[i * row + 2 * E + e] -= w[i * row + e];
cleanup:
    return rc;
}

static enum err_code linear_derive(float *w, const struct method_training *t,
                                   const struct method_setup *s, struct err *err) {
    enum err_code rc = ERR_OK;
    if (is_text(&s->params->dims)) {
        TRY(read_text(w, t, s, err));
    } else {
        pick_anchors(w, &t->prompts, s);
        TRY(read_alone(w, s, t->contexts, err));
    }
    TRY(find_directions(w, s, err));
    if (t->report) TRY(t->report(t->context, 1, 1, err));
cleanup:
    return rc;
}

/* Training prompts give their x to the anchors; none of them passes through the model. Of text the
 * anchors pass through it with and without shots. */
static void linear_derive_work(double *contexts, double *tokens, const struct method_setup *s,
                               const struct method_training *t) {
    *contexts = *tokens = -(double)t->prompts.n;
    *tokens += (double)anchors_of(s);
    if (!is_text(&s->params->dims)) return;
    *contexts += (double)anchors_of(s);
    *tokens += (double)anchors_of(s);
}

static size_t linear_derive_bytes(const struct method_setup *s, const struct method_training *t) {
    const struct model_dims *d = &s->params->dims;
    const size_t n = anchors_of(s), E = d->E;
    const size_t states = basis_set_bytes(d, basis_bit(BASIS_STATE), t->chunk);
    const size_t passes =
        is_text(d) ? states + basis_collector_text_bytes(d, t->tokens, t->chunk, t->contexts)
                   : query_bytes(d, n, 0, false);
    return passes + 2 * (2 * n * E + E * E + n * E) * sizeof(double);
}

/* ---- the map */

static size_t linear_values(const struct method_setup *s) {
    const size_t E = s->params->dims.E;
    return s->variant == LINEAR_MAP ? E * E : E;
}

/* The rows of the map; of text their other factor too, which prompts of numbers have as basis. */
static size_t linear_scratch(const struct method_setup *s, size_t R) {
    (void)R;
    return (is_text(&s->params->dims) ? 2 : 1) * s->params->dims.E * s->params->dims.E;
}

/* out [E, E]: row k is s_k / (s_k^2 + ridge) v_k, from U^T H^T whose rows are s_k v_k. */
static void find_rows(float *out, const float *w, const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    const size_t E = d->E, row = values_of_map(d);
    blas_gemm(out, w + d->inputs + E, w + d->inputs, BLAS_T, BLAS_N, 1, 0, E, E, anchors_of(s), row,
              row, E);
    for (size_t k = 0; k < E; k++) {
        const double square = vector_dot(out + k * E, out + k * E, E);
        vector_scale(out + k * E, (float)(1 / (square + ridge_of(s))), E);
    }
}

/* Of text: part [E, E], row k is the sum over anchors of coefficient k times their change. */
static struct basis text_basis(float *part, const float *w, const struct method_setup *s) {
    const size_t E = s->params->dims.E, row = values_of_map(&s->params->dims);
    struct basis b = {.R = 1, .stride = 1};
    blas_gemm(part, w + E, w + 2 * E, BLAS_T, BLAS_N, 1, 0, E, E, anchors_of(s), row, row, E);
    b.part[BASIS_ANCHORS] = part;
    return b;
}

static void linear_vector(float *v, const float *w, const struct basis *b,
                          const struct method_setup *s, float *scratch) {
    const size_t E = s->params->dims.E;
    const bool text = is_text(&s->params->dims);
    const struct basis own = text ? text_basis(scratch + E * E, w, s) : *b;
    const size_t R = own.R, stride = own.stride * E;
    const float *part = own.part[BASIS_ANCHORS];
    if (s->variant == LINEAR_CONSTANT) {
        memcpy(v, part, R * E * sizeof *v);
        return;
    }
    find_rows(scratch, w, s);
    for (size_t r = 0; r < R; r++)
        blas_gemm(v + r * E * E, part + r * E, scratch, BLAS_T, BLAS_N, 1, 0, E, E, E, stride, E,
                  E);
}

static size_t linear_edits(struct edit *items, const float *v, const float *w, size_t R,
                           const struct method_setup *s) {
    (void)w;
    const struct model_dims *d = &s->params->dims;
    const size_t each = R > 1 ? linear_values(s) : 0;
    items[0] = (struct edit){.layer = d->L - 1, .scale = 1.0F, .values = v, .row_stride = each};
    if (s->variant == LINEAR_MAP)
        items[0] = (struct edit){.layer = d->L - 1,
                                 .operation = EDIT_MAP,
                                 .map = {.rank = d->E, .A = v, .A_stride = each}};
    return 1;
}

static enum err_code linear_check(const struct method_setup *s, const struct config_point *point,
                                  struct err *err) {
    if (!is_text(&s->params->dims) || strcmp(config_text(point, "basis"), "mean") == 0)
        return ERR_OK;
    return config_error(err, point, "basis",
                        "on text linear_vector has one map for the whole task, from anchors with "
                        "shots of their own: set it to \"mean\"");
}

static void linear_read(struct method_setup *s, const struct config_point *point) {
    s->variant = text_index(FORMS, config_text(point, "linear_vector.form"));
    linear_vector_set_keys(s, (struct linear_vector_keys){
                                  .anchors = config_int(point, "linear_vector.anchors"),
                                  .ridge = config_float(point, "linear_vector.ridge"),
                              });
}

static const struct config_key KEYS[] = {
    {
        .name = "linear_vector.form",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "linear",
        .choices = FORMS,
        .when = "method=linear_vector",
        .unit = "",
        .meaning = "Whether the vector is a linear map of the query's own state, or the mean "
                   "change of the anchors' states.",
    },
    {
        .name = "linear_vector.anchors",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e5,
        .def = "256",
        .when = "method=linear_vector",
        .unit = "queries",
        .meaning = "Number of unlabelled queries on which the map is fitted.",
    },
    {
        .name = "linear_vector.ridge",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 0,
        .max = 1e12,
        .def = "0.0",
        .when = "method=linear_vector",
        .unit = "",
        .meaning = "Ridge penalty (published: 5); 0 means chosen on validation prompts from 0.05, "
                   "0.5, 5, ..., 5e4.",
    },
};

extern const struct method method_linear_vector;
const struct method method_linear_vector = {
    .name = "linear_vector",
    .docs =
        {.meaning = "Linear map of the query's last state, fitted on unlabelled queries.",
         .paper = "Kwon et al., arXiv:2605.20730",
         .sees = "T0 - 1 examples of the function (basis \"prompt\"), or none (basis \"mean\")",
         .cost = "one basis prompt and one token per anchor for each function",
         .text =
             "one map for the task (basis \"mean\"): anchors are queries of training pairs, read "
             "alone and after clean shots of their own; a map for every prompt is refused, since "
             "every "
             "anchor would have to be read after the shots of every prompt",
         .weights =
             "anchors x (d + 2 E): x, last state alone, and coefficients u of each anchor; of "
             "text 3 E: last state alone, coefficients, and change of the state",
         .vector = "v = basis_anchors^T M, where row k of M is m_k / (|m_k|^2 + ridge) and m = "
                   "u^T (states alone); of text u^T changes takes the place of basis_anchors; "
                   "constant: v = basis_anchors_0; ridge is "
                   "linear_vector.ridge, or 0.05, 0.5, 5, ... by choice",
         .place = "adds v x to the output x of the last block (affine with A = v; constant: "
                  "adds v); query"},
    .config = {.variants = FORMS,
               .rows = KEYS,
               .n = sizeof KEYS / sizeof *KEYS,
               .read = linear_read,
               .check = linear_check},
    .inputs = {.basis = linear_basis, .anchors = linear_anchors, .texts = linear_texts},
    .derivation = {.weights_shape = linear_shape,
                   .derive = linear_derive,
                   .bytes = linear_derive_bytes,
                   .work = linear_derive_work,
                   .choices = linear_choices,
                   .chosen = linear_chosen},
    .application = {.maps = true,
                    .vector = linear_vector,
                    .values = linear_values,
                    .edits = linear_edits,
                    .edits_most = method_one_edit,
                    .scratch = linear_scratch},
};
