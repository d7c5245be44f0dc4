/*
 * Learnable task vectors: one weight per head on activations at the query of a basis prompt.
 *
 * With z[l] the concatenated head outputs, a[l] = z[l] W_o + b the attention output, and D(w)
 * the scaling of head slices by w[l, 1..H], v[l] is added to the output of block l at the query:
 *
 *   heads         v = (z D(w)) W_o                     the weighted contributions of heads
 *   heads_bias    v = (z D(w)) W_o + (sum_h w_h) b     the output bias once per head
 *   reprojected   v = (a D(w)) W_o + (sum_h w_h) b     the published regression code
 *   blocks        v = a D(w)                           the published text code
 *
 * Gradient, with g = dLoss/dv: dLoss/dw_h = <u, q> over the slice of head h, where u is z or a,
 * and q is g W_o^T (g for blocks), plus <g, b> where the bias is added. (u D(w)) W_o and g W_o^T
 * are one GEMM each over all rows, so no vectors per head are formed.
 *
 * Source: Saglam, Hu, Yang, Kalogerias, Karbasi, "Learning Task Representations from In-Context
 *   Learning", ACL Findings 2025, arXiv:2502.05390, algorithm 1, and the published code.
 * Sees: T0 - 1 examples of the function through the basis prompt; with basis "mean", none.
 * Cost: one basis prompt per function.
 * Deviations from the paper: docs/methods.md.
 */
#include "methods/ltv.h"

#include <assert.h>

#include "base/text.h"
#include "methods/method.h"
#include "model/block.h"
#include "ops/vector_ops.h"

const char *const LTV_READINGS[] = {"heads", "heads_bias", "reprojected", "blocks", NULL};

static bool adds_bias(int reading) {
    return reading == LTV_HEADS_BIAS || reading == LTV_REPROJECTED;
}

static enum basis_part part_of(int reading) {
    return reading == LTV_HEADS || reading == LTV_HEADS_BIAS ? BASIS_HEADS : BASIS_ATTENTION;
}

static unsigned ltv_basis(const struct method_setup *s) { return basis_bit(part_of(s->variant)); }

static const float *source_rows(const struct basis *b, size_t l, const struct method_setup *s) {
    const enum basis_part part = part_of(s->variant);
    return b->part[part] + l * b->stride * basis_width(part, &s->params->dims);
}

/* Coordinates of a slice: of head h in z, or an H-th of the residual stream. */
static size_t slice_width(const struct method_setup *s) {
    return basis_width(part_of(s->variant), &s->params->dims) / s->params->dims.H;
}

/* [R, the wider of E and H D] rows and one [E]. */
static size_t ltv_scratch(const struct method_setup *s, size_t R) {
    const size_t E = s->params->dims.E, Z = model_heads_width(&s->params->dims);
    return R * (E > Z ? E : Z) + E;
}

/* out [E] = (sum of w [H]) b; a family without a bias has b NULL. */
static void scale_bias(float *out, const float *w, const float *b, size_t H, size_t E) {
    double sum = 0;
    for (size_t h = 0; h < H; h++) sum += (double)w[h];
    for (size_t e = 0; e < E; e++) out[e] = b ? (float)(sum * (double)b[e]) : 0.0F;
}

static void ltv_vector(float *v, const float *w, const struct basis *b,
                       const struct method_setup *s, float *scratch) {
    const struct model_dims *d = &s->params->dims;
    size_t R = b->R, H = d->H, E = d->E, D = slice_width(s);
    float *bias = scratch, *scaled = scratch + E;
    for (size_t l = 0; l < d->L; l++) {
        const struct layer_params *layer = &s->params->layers[l];
        const float *u = source_rows(b, l, s);
        float *v_l = v + l * R * E;
        if (s->variant == LTV_BLOCKS) {
            vector_scale_slices(v_l, u, w + l * H, R, H, D);
            continue;
        }
        vector_scale_slices(scaled, u, w + l * H, R, H, D);
        struct weight_map m = block_projection(s->params, l);
        if (adds_bias(s->variant)) scale_bias(bias, w + l * H, layer->proj_b, H, E);
        m.b = adds_bias(s->variant) ? bias : NULL;
        weight_forward(v_l, E, scaled, &m, R);
    }
}

/* dw [H] = sum over rows and the coordinates of each slice of u q, plus `shared` for every head. */
static void sum_slices(float *dw, const float *u, const float *q, double shared, size_t R, size_t H,
                       size_t D) {
    for (size_t h = 0; h < H; h++) {
        double sum = shared;
        for (size_t r = 0; r < R; r++)
            sum += vector_dot(u + (r * H + h) * D, q + (r * H + h) * D, D);
        dw[h] = (float)sum;
    }
}

static double sum_bias(const float *g, const float *b, size_t R, size_t E) {
    double sum = 0;
    for (size_t r = 0; r < R; r++) sum += vector_dot(g + r * E, b, E);
    return sum;
}

static void ltv_gradient(float *dw, const float *g, size_t g_stride, size_t R,
                         const struct basis *b, const struct method_setup *s, float *scratch) {
    const struct model_dims *d = &s->params->dims;
    size_t E = d->E;
    assert(R == b->R);
    for (size_t l = 0; l < d->L; l++) {
        const struct layer_params *layer = &s->params->layers[l];
        const float *g_l = g + l * g_stride * E, *q = g_l; /* q: d loss / d (u D(w)) */
        double shared = 0;
        if (s->variant != LTV_BLOCKS) {
            const struct weight_map m = block_projection(s->params, l);
            weight_backward(scratch, 0.0f, g_l, E, &m, R);
            q = scratch;
        }
        if (adds_bias(s->variant) && layer->proj_b) shared = sum_bias(g_l, layer->proj_b, R, E);
        sum_slices(dw + l * d->H, source_rows(b, l, s), q, shared, R, d->H, slice_width(s));
    }
}

static void ltv_read(struct method_setup *s, const struct config_point *point) {
    s->variant = text_index(LTV_READINGS, config_text(point, "ltv.reading"));
    s->init = config_float(point, "ltv.init");
    s->l1 = config_float(point, "ltv.l1");
}

static enum err_code ltv_check(const struct method_setup *s, const struct config_point *point,
                               struct err *err) {
    return method_check_reprojected(&s->params->dims, point, "ltv.reading", err);
}

static const struct config_key KEYS[] = {
    {
        .name = "ltv.reading",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "heads",
        .choices = LTV_READINGS,
        .when = "method=ltv",
        .unit = "",
        .meaning =
            "Variant of a head's contribution: projected, projected with the bias, projected "
            "twice (published, regression) or not projected (published, text).",
    },
    {
        .name = "ltv.init",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 0,
        .max = 1e3,
        .def = "0.1",
        .when = "method=ltv",
        .unit = "",
        .meaning = "Standard deviation of the initial weights (published: 1).",
    },
    {
        .name = "ltv.l1",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 0,
        .max = 1e3,
        .def = "0.0",
        .when = "method=ltv",
        .unit = "",
        .meaning =
            "L1 penalty on the weights, applied as a proximal step after each update so that "
            "many become exactly 0.",
    },
};

extern const struct method method_ltv;
const struct method method_ltv = {
    .name = "ltv",
    .docs = {.meaning =
                 "Learnable task vector: one weight per head multiplies the head's output at a "
                 "basis prompt.",
             .paper = "Saglam et al., arXiv:2502.05390",
             .sees = "T0 - 1 examples of the function (basis \"prompt\"), or none (basis \"mean\")",
             .cost = "one basis prompt per function",
             .weights = "L x H: one number for each head",
             .vector =
                 "v_l = (basis_heads_l D(weights_l)) W_l, where D scales the slice of each head; "
                 "heads_bias: + (sum of weights_l) b_l; reprojected: the same with basis_attention "
                 "for basis_heads; blocks: v_l = basis_attention_l D(weights_l)",
             .place = "adds v_l to the output of every block l; query"},
    .config = {.variants = LTV_READINGS,
               .rows = KEYS,
               .n = sizeof KEYS / sizeof *KEYS,
               .read = ltv_read,
               .check = ltv_check},
    .inputs = {.basis = ltv_basis},
    .derivation = {.weights_shape = method_shape_heads, .init = method_init_normals},
    .application = {.vector = ltv_vector, .gradient = ltv_gradient, .scratch = ltv_scratch},
};
