/*
 * Gates on heads: the output z[l, h] of the query becomes (1 - s) z[l, h] + s t[l, h], with s =
 * sigmoid(alpha[l, h]) learned and t the head output at the query of a basis prompt.
 * dLoss/dalpha = s (1 - s) <g, t - z>.
 *
 * Source: SITE, Park et al., ACL Findings 2026, arXiv:2507.20906, where t is a mean over prompts
 *   (basis "mean") and all gates start at 0.5.
 * Sees: T0 - 1 examples of the function through the basis prompt; with basis "mean", none.
 * Cost: one basis prompt per function, or none.
 * Deviations from the paper: docs/methods.md.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "methods/method.h"

struct site_keys {
    double start; /* alpha of the gate that all heads start from */
};
METHOD_KEYS(site)

static unsigned site_basis(const struct method_setup *s) {
    (void)s;
    return basis_bit(BASIS_HEADS);
}

static void site_init(float *w, const struct method_setup *s, const struct rng *stream) {
    const size_t n = method_weights(s);
    const double start = site_keys(s).start;
    rng_normals(w, n, stream, 0, 0);
    for (size_t i = 0; i < n; i++) w[i] = (float)(start + s->init * (double)w[i]);
}

static float gate_of(float alpha) { return (float)(1 / (1 + exp(-(double)alpha))); }

static size_t site_values(const struct method_setup *s) {
    return s->params->dims.L * model_heads_width(&s->params->dims);
}

/* v [L, R, H D]: t. */
static void site_vector(float *v, const float *w, const struct basis *b,
                        const struct method_setup *s, float *scratch) {
    (void)w, (void)scratch;
    const size_t Z = model_heads_width(&s->params->dims), n = b->R * Z, stride = b->stride * Z;
    for (size_t l = 0; l < s->params->dims.L; l++)
        memcpy(v + l * n, b->part[BASIS_HEADS] + l * stride, n * sizeof *v);
}

static size_t site_edits(struct edit *items, const float *v, const float *w, size_t R,
                         const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    const size_t D = model_head_width(d), Z = d->H * D;
    for (size_t i = 0; i < d->L * d->H; i++) {
        const size_t l = i / d->H, h = i % d->H;
        items[i] = (struct edit){.layer = l,
                                 .site = EDIT_HEADS,
                                 .operation = EDIT_MIX,
                                 .from = h * D,
                                 .n = D,
                                 .scale = gate_of(w[i]),
                                 .values = v + l * R * Z + h * D,
                                 .row_stride = R > 1 ? Z : 0};
    }
    return d->L * d->H;
}

/* d loss / d alpha = s (1 - s) <g, t - z>, summed over rows and a head's coordinates. */
static void site_gradient_at(float *dw, const struct query_place *at, const float *v,
                             const float *w, const struct basis *b, const struct method_setup *s,
                             float *scratch) {
    (void)scratch;
    const struct model_dims *d = &s->params->dims;
    const size_t D = model_head_width(d), Z = d->H * D, first = at->layer * d->H;
    const float *t = v + at->layer * b->R * Z;
    assert(at->site == EDIT_HEADS && at->x && (b->R == 1 || b->R == at->R));
    for (size_t h = 0; h < d->H; h++) {
        const double gate = (double)gate_of(w[first + h]);
        double sum = 0;
        for (size_t r = 0; r < at->R; r++)
            for (size_t i = h * D; i < (h + 1) * D; i++) {
                const size_t own = r * Z + i, shared = b->R > 1 ? own : i;
                sum += (double)at->g[own] * ((double)t[shared] - (double)at->x[own]);
            }
        dw[first + h] += (float)(gate * (1 - gate) * sum);
    }
}

static void site_read(struct method_setup *s, const struct config_point *point) {
    const double gate = config_float(point, "site.gate");
    site_set_keys(s, (struct site_keys){.start = log(gate / (1 - gate))});
    s->init = config_float(point, "site.init");
}

static const struct config_key KEYS[] = {
    {
        .name = "site.gate",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 1e-6,
        .max = 0.999999,
        .def = "0.05",
        .when = "method=site",
        .unit = "",
        .meaning = "Initial gate of every head: 0 gives its own output, 1 its output at the basis "
                   "prompt.",
    },
    {
        .name = "site.init",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 0,
        .max = 1e3,
        .def = "0.1",
        .when = "method=site",
        .unit = "",
        .meaning = "Standard deviation of the initial gate logits around the logit of `site.gate`.",
    },
};

extern const struct method method_site;
const struct method method_site = {
    .name = "site",
    .docs =
        {.meaning =
             "Learned gates that interpolate each head between its own output and its output "
             "at a basis prompt.",
         .paper = "Park et al., arXiv:2507.20906",
         .sees = "T0 - 1 examples of the function (basis \"prompt\"), or none (basis \"mean\", "
                 "published)",
         .cost = "one basis prompt per function, or none",
         .weights = "L x H: logits of the gates",
         .vector = "v_l = basis_heads_l; the gates are sigmoid(weights)",
         .place =
             "mixes v_l into the head outputs of every layer l, each head with its gate; query"},
    .config = {.rows = KEYS, .n = sizeof KEYS / sizeof *KEYS, .read = site_read},
    .inputs = {.basis = site_basis},
    .derivation = {.weights_shape = method_shape_heads, .init = site_init},
    .application = {.values = site_values,
                    .vector = site_vector,
                    .edits = site_edits,
                    .edits_most = method_weights,
                    .gradient_at = site_gradient_at},
};
