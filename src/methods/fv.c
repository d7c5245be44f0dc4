/*
 * Function vector: v = sum of the outputs of the heads with the largest average indirect effect,
 * each slice through W_o; fv.scale times v is added to the output of every block in fv.layers.
 *
 * Derivation: the indirect effect of every head on label-shuffled prompts (causal_map.h),
 * averaged over the first fv.prompts training prompts; a head is patched with its mean over all
 * training prompts. Weights [L, H] are 1 for the fv.heads heads of largest effect and 0 for the
 * others. The slices are those of a prompt (basis "prompt") or the mean over training prompts
 * ("mean").
 *
 * As published for regression: reading "reprojected", corruption "redrawn", bias "per_head", 35
 * of 96 heads, layers [6, 7, 8], basis "mean".
 *
 * Source: Todd, Li, Sharma, Mueller, Wallace, Bau, "Function Vectors in Large Language Models",
 *   ICLR 2024, arXiv:2310.15213, section 2; regression port by Saglam et al., arXiv:2502.05390.
 * Sees: T0 - 1 examples of the function through the basis prompt; with basis "mean", none.
 * Cost: one basis prompt per function. Derivation: for each prompt of the map one shuffled
 *   context and about H(L+1)/2 token passes, or L H contexts with "redrawn".
 * Deviations from the paper: docs/methods.md.
 */
#include "methods/fv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/block.h"
#include "ops/vector_ops.h"

const char *const FV_BIASES[] = {"once", "per_head", "none", NULL};

/* Published: 35 of 96. */
static size_t heads_of(const struct method_setup *s) {
    const size_t all = s->params->dims.L * s->params->dims.H, few = (35 * all + 48) / 96;
    const int64_t given = fv_keys(s).heads;
    assert(given <= (int64_t)all);
    if (given > 0) return (size_t)given;
    return few > 0 ? few : 1;
}

static size_t layer_count(const struct method_setup *s) {
    const size_t third = s->params->dims.L / 3, given = fv_keys(s).n_layers;
    if (given > 0) return given;
    return third > 0 ? third : 1;
}

static size_t layer_at(const struct method_setup *s, size_t i) {
    const struct fv_keys keys = fv_keys(s);
    return keys.n_layers > 0 ? keys.layers[i] : s->params->dims.L / 3 + i;
}

static double scale_of(const struct method_setup *s) {
    const double given = fv_keys(s).scale;
    return given > 0 ? given : 1 / (double)layer_count(s);
}

static enum basis_part part_of(const struct method_setup *s) {
    return causal_part((enum causal_reading)s->variant);
}

static unsigned fv_basis(const struct method_setup *s) { return basis_bit(part_of(s)); }

/* ---- the vector and its edits */

/* Multiplicity of the bias of a layer whose heads have weights w [H]. */
static float bias_count(enum fv_bias bias, const float *w, size_t H) {
    float sum = 0;
    for (size_t h = 0; h < H; h++) sum += w[h];
    if (bias == FV_ONCE) return sum != 0 ? 1 : 0;
    return bias == FV_PER_HEAD ? sum : 0;
}

static size_t fv_scratch(const struct method_setup *s, size_t R) {
    return R * basis_width(part_of(s), &s->params->dims);
}

static size_t fv_values(const struct method_setup *s) { return s->params->dims.E; }

static void fv_vector(float *v, const float *w, const struct basis *b, const struct method_setup *s,
                      float *scratch) {
    const struct model_dims *d = &s->params->dims;
    const size_t R = b->R, H = d->H, E = d->E;
    const enum fv_bias bias = fv_keys(s).bias;
    const size_t width = basis_width(part_of(s), d);
    memset(v, 0, R * E * sizeof *v);
    for (size_t l = 0; l < d->L; l++) {
        const struct layer_params *layer = &s->params->layers[l];
        const float *u = b->part[part_of(s)] + l * b->stride * width;
        vector_scale_slices(scratch, u, w + l * H, R, H, width / H);
        const struct weight_map m = block_projection(s->params, l);
        weight_add(v, E, scratch, &m, R);
        const float count = bias_count(bias, w + l * H, H);
        for (size_t r = 0; layer->proj_b && count != 0 && r < R; r++)
            vector_axpy(v + r * E, count, layer->proj_b, E);
    }
}

static size_t fv_edits(struct edit *items, const float *v, const float *w, size_t R,
                       const struct method_setup *s) {
    (void)w;
    for (size_t i = 0; i < layer_count(s); i++)
        items[i] = (struct edit){.layer = layer_at(s, i),
                                 .scope = EDIT_QUERY,
                                 .scale = (float)scale_of(s),
                                 .values = v,
                                 .row_stride = R > 1 ? s->params->dims.E : 0};
    return layer_count(s);
}

/* ---- the derivation */

static void fv_texts(size_t n[], const struct method_setup *s, size_t train) {
    const struct method_training all = {.prompts = {.n = train}};
    n[METHOD_SHUFFLED] = method_first_prompts(&all, fv_keys(s).prompts);
}

void fv_choose(float *w, const struct model_dims *d, const uint32_t *order, size_t n) {
    assert(n <= d->L * d->H);
    memset(w, 0, d->L * d->H * sizeof *w);
    for (size_t i = 0; i < n; i++) w[order[i]] = 1;
}

static struct causal_options options_of(const struct method_setup *s,
                                        const struct method_training *t) {
    return (struct causal_options){.prompts = t->prompts,
                                   .corrupted = t->texts[METHOD_SHUFFLED],
                                   .tokens = t->tokens,
                                   .T0 = t->T0,
                                   .chunk = t->chunk,
                                   .contexts = t->contexts,
                                   .reading = (enum causal_reading)s->variant,
                                   .corruption = fv_keys(s).corruption,
                                   .share = t->share,
                                   .stream = t->stream};
}

static size_t fv_derive_bytes(const struct method_setup *s, const struct method_training *t) {
    const struct model_dims *d = &s->params->dims;
    struct causal_options o = options_of(s, t);
    const size_t mean = causal_mean_bytes(d, &o), row = basis_set_bytes(d, fv_basis(s), 1);
    o.prompts.n = method_first_prompts(t, fv_keys(s).prompts);
    const size_t map = causal_map_bytes(d, &o) + method_weights(s) * o.prompts.n * sizeof(float);
    return row + (mean > map ? mean : map);
}

static void fv_derive_work(double *contexts, double *tokens, const struct method_setup *s,
                           const struct method_training *t) {
    const double n = (double)method_first_prompts(t, fv_keys(s).prompts),
                 heads = (double)method_weights(s);
    *contexts = fv_keys(s).corruption == CAUSAL_REDRAWN ? n * heads : n;
    *tokens = n * heads / 2; /* half the layers on average */
}

/* w from effect [L, H, n] and effects [L, H], both overwritten; order [L, H]. */
static enum err_code choose_heads(float *w, float *effect, double *effects, uint32_t *order,
                                  const struct causal_options *o, const struct basis *mean,
                                  const struct method_setup *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    TRY(causal_map(effect, s->params, mean, o, err));
    TRY(causal_effects(effects, effect, d, o->prompts.n, err));
    causal_rank(order, effects, method_weights(s));
    fv_choose(w, d, order, heads_of(s));
cleanup:
    return rc;
}

static enum err_code fv_derive(float *w, const struct method_training *t,
                               const struct method_setup *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t heads = method_weights(s), n = method_first_prompts(t, fv_keys(s).prompts);
    struct causal_progress progress = {t->report, t->context, 0,
                                       (double)(t->prompts.n + n * heads)};
    struct causal_options o = options_of(s, t);
    struct basis_set mean = {0};
    float *effect = calloc(heads * n, sizeof *effect);
    double *effects = calloc(heads, sizeof *effects);
    uint32_t *order = calloc(heads, sizeof *order);
    CHECK(effect && effects && order, ERR_MEMORY, "no memory for the effects of %zu prompts", n);
    o.progress = t->report ? &progress : NULL;
    TRY(basis_set_create(&mean, &s->params->dims, fv_basis(s), 1, err));
    TRY(causal_mean(&mean, s->params, &o, err));
    o.prompts.n = n;
    const struct basis values = basis_set_view(&mean, 0, 1);
    TRY(choose_heads(w, effect, effects, order, &o, &values, s, err));
cleanup:
    basis_set_destroy(&mean);
    free(order);
    free(effects);
    free(effect);
    return rc;
}

/* ---- keys */

static void fv_read(struct method_setup *s, const struct config_point *point) {
    s->variant = text_index(CAUSAL_READINGS, config_text(point, "fv.reading"));
    struct fv_keys keys = {
        .heads = config_int(point, "fv.heads"),
        .prompts = config_int(point, "fv.prompts"),
        .scale = config_float(point, "fv.scale"),
        .corruption = (enum causal_corruption)text_index(CAUSAL_CORRUPTIONS,
                                                         config_text(point, "fv.corruption")),
        .bias = (enum fv_bias)text_index(FV_BIASES, config_text(point, "fv.bias")),
    };
    const size_t n = config_list_size(point, "fv.layers");
    keys.n_layers = n < FV_LAYERS ? (uint32_t)n : FV_LAYERS; /* more: fv_check refuses them */
    for (size_t i = 0; i < keys.n_layers; i++)
        keys.layers[i] = (uint32_t)config_list_int(point, "fv.layers", i);
    fv_set_keys(s, keys);
}

static enum err_code check_layers(const struct fv_keys *keys, size_t L,
                                  const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = config_list_size(point, "fv.layers");
    CHECK_CONFIG(n <= FV_LAYERS, point, "fv.layers", "%zu blocks: list at most %d", n, FV_LAYERS);
    for (size_t i = 0; i < n; i++) {
        const uint32_t l = keys->layers[i];
        CHECK_CONFIG(l < L, point, "fv.layers", "block %" PRIu32 " of a model with blocks 0 to %zu",
                     l, L - 1);
        CHECK_CONFIG(i == 0 || l > keys->layers[i - 1], point, "fv.layers",
                     "block %" PRIu32 " after %" PRIu32
                     ": list each block once, in ascending order",
                     l, keys->layers[i - 1]);
    }
cleanup:
    return rc;
}

static enum err_code fv_check(const struct method_setup *s, const struct config_point *point,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fv_keys keys = fv_keys(s);
    CHECK_CONFIG(keys.heads <= (int64_t)method_weights(s), point, "fv.heads",
                 "%" PRId64 " of a model with %zu heads: lower it", keys.heads, method_weights(s));
    CHECK_CONFIG(keys.corruption == CAUSAL_SHARED || s->params->dims.vocabulary == 0, point,
                 "fv.corruption",
                 "labels of text are shuffled once for each prompt: set it to \"shared\"");
    TRY(check_layers(&keys, s->params->dims.L, point, err));
    TRY(method_check_reprojected(&s->params->dims, point, "fv.reading", err));
cleanup:
    return rc;
}

static const struct config_key KEYS[] = {
    {
        .name = "fv.reading",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "heads",
        .choices = CAUSAL_READINGS,
        .when = "method=fv",
        .unit = "",
        .meaning = "Definition of a head's output: its own, or a slice of the attention block's "
                   "output projected again (published, regression).",
    },
    {
        .name = "fv.heads",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e6,
        .def = "0",
        .when = "method=fv",
        .unit = "heads",
        .meaning =
            "Number of heads to sum, those of largest effect; 0 means 35 of every 96 (published).",
    },
    {
        .name = "fv.prompts",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e8,
        .def = "256",
        .when = "method=fv",
        .unit = "prompts",
        .meaning =
            "Number of training prompts, from the first, whose labels are shuffled to measure"
            " effects; 0 means all.",
    },
    {
        .name = "fv.corruption",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "shared",
        .choices = CAUSAL_CORRUPTIONS,
        .when = "method=fv",
        .unit = "",
        .meaning = "Label order of the shuffled prompts: one per prompt for all heads, or redrawn "
                   "for each head and shared by all prompts (published, needs a context per head).",
    },
    {
        .name = "fv.bias",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "once",
        .choices = FV_BIASES,
        .when = "method=fv",
        .unit = "",
        .meaning = "Whether the bias of the output projection is added once per layer with chosen "
                   "heads, once per chosen head (published) or never.",
    },
    {
        .name = "fv.layers",
        .type = CONFIG_INT,
        .flags = CONFIG_LIST,
        .max = 1e6,
        .def = "[]",
        .when = "method=fv",
        .unit = "",
        .meaning =
            "Blocks, counted from 0, to whose output the vector is added; [] means the middle"
            " third.",
    },
    {
        .name = "fv.scale",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .max = 1e6,
        .def = "0.0",
        .when = "method=fv",
        .unit = "",
        .meaning =
            "Factor of the vector at each of these blocks; 0 means 1 divided by their number "
            "(published).",
    },
};

extern const struct method method_fv;
const struct method method_fv = {
    .name = "fv",
    .docs = {.meaning =
                 "Function vector: the sum of the outputs of the heads with the largest average "
                 "indirect effect.",
             .paper = "Todd et al., ICLR 2024, arXiv:2310.15213",
             .sees = "T0 - 1 examples of the function (basis \"prompt\"), or none (basis \"mean\")",
             .cost = "one basis prompt per function; the fit replaces every head on label-shuffled "
                     "prompts",
             .weights = "L x H: 1 for each chosen head, else 0",
             .vector = "v = sum over l of (basis_heads_l D(weights_l)) W_l + n_l b_l; reading "
                       "reprojected: basis_attention for basis_heads; n_l by fv.bias: once: 1 "
                       "where layer l has a chosen head; per_head: their number; none: 0",
             .place = "adds fv.scale v to the output of the blocks fv.layers (defaults: 1 / their "
                      "number, the middle third); query"},
    .config = {.variants = CAUSAL_READINGS,
               .rows = KEYS,
               .n = sizeof KEYS / sizeof *KEYS,
               .read = fv_read,
               .check = fv_check},
    .inputs = {.basis = fv_basis,
               .texts = fv_texts,
               .least_points = 3}, /* two labels before the query to shuffle */
    .derivation = {.weights_shape = method_shape_heads,
                   .derive = fv_derive,
                   .bytes = fv_derive_bytes,
                   .work = fv_derive_work},
    .application = {.vector = fv_vector,
                    .values = fv_values,
                    .edits = fv_edits,
                    .edits_most = layer_count,
                    .scratch = fv_scratch},
};
