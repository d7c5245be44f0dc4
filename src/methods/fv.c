/*
 * Function vector: v = sum of the outputs of the heads with the largest average indirect effect,
 * each slice through W_o; fv.scale times v is added to the output of every block in fv.layers
 * (sites "layers"), or of one block that is chosen on validation prompts ("one_layer"). With sites
 * "distributed" fv.scale times the output of each chosen head is added to that head of the query.
 *
 * Derivation (fv_heads.h): the indirect effect of every head on label-shuffled prompts
 * (causal_map.h), averaged over the first fv.prompts training prompts; a head is patched with its
 * mean over all training prompts. Weights [L, H] are 1 for the fv.heads heads of largest effect and
 * 0 for the others. fv.selection has other ways to select heads. The slices are those of a prompt
 * (basis "prompt") or the mean over training prompts ("mean").
 *
 * As published for regression: reading "reprojected", corruption "redrawn", bias "per_head", 35
 * of 96 heads, layers [6, 7, 8], basis "mean".
 *
 * Source: Todd, Li, Sharma, Mueller, Wallace, Bau, "Function Vectors in Large Language Models",
 *   ICLR 2024, arXiv:2310.15213, section 2; regression port by Saglam et al., arXiv:2502.05390;
 *   selection by gradients and distributed edits: Pham et al., arXiv:2606.05079.
 * Sees: T0 - 1 examples of the function through the basis prompt; with basis "mean", none.
 * Cost: one basis prompt per function. Derivation: for each prompt of the map one shuffled
 *   context and about H(L+1)/2 token passes, or L H contexts with "redrawn".
 * Deviations from the paper: docs/methods.md.
 */
#include "methods/fv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "methods/fv_heads.h"
#include "model/block.h"
#include "ops/vector_ops.h"

const char *const FV_BIASES[] = {"once", "per_head", "none", NULL};
static const char *const SELECTIONS[] = {"aie", "gradient", "random", "bottom", "universal", NULL};
static const char *const SITES[] = {"layers", "one_layer", "distributed", NULL};

/* Candidates for the scale of distributed edits. */
static const double SCALES[] = {0.25, 0.5, 1, 2, 4};
enum { N_SCALES = sizeof SCALES / sizeof *SCALES };

static bool is_distributed(const struct method_setup *s) {
    return fv_keys(s).sites == FV_DISTRIBUTED;
}

/* ---- layers and scale */

/* Of sites "layers": blocks that are edited; of "one_layer": candidates. */
static size_t layer_count(const struct method_setup *s) {
    const size_t L = s->params->dims.L, given = fv_keys(s).n_layers;
    if (given > 0) return given;
    if (fv_keys(s).sites == FV_ONE_LAYER) return L;
    return L / 3 > 0 ? L / 3 : 1;
}

static size_t layer_at(const struct method_setup *s, size_t i) {
    const struct fv_keys keys = fv_keys(s);
    if (keys.n_layers > 0) return keys.layers[i];
    return keys.sites == FV_ONE_LAYER ? i : s->params->dims.L / 3 + i;
}

static double scale_of(const struct method_setup *s) {
    const double given = fv_keys(s).scale;
    if (given > 0) return given;
    if (is_distributed(s)) return SCALES[s->choice];
    return fv_keys(s).sites == FV_ONE_LAYER ? 1 : 1 / (double)layer_count(s);
}

static size_t fv_choices(const struct method_setup *s) {
    if (is_distributed(s)) return fv_keys(s).scale > 0 ? 1 : N_SCALES;
    return fv_keys(s).sites == FV_ONE_LAYER ? layer_count(s) : 1;
}

static double fv_chosen(const struct method_setup *s) {
    if (is_distributed(s)) return scale_of(s);
    return fv_keys(s).sites == FV_ONE_LAYER ? (double)layer_at(s, s->choice) : (double)NAN;
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

static size_t fv_values(const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    return is_distributed(s) ? d->L * basis_width(part_of(s), d) : d->E;
}

/* v [L, R, H D]: the outputs of all heads. */
static void copy_heads(float *v, const struct basis *b, const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    const size_t width = basis_width(part_of(s), d), n = b->R * width;
    for (size_t l = 0; l < d->L; l++)
        memcpy(v + l * n, b->part[part_of(s)] + l * b->stride * width, n * sizeof *v);
}

static void sum_heads(float *v, const float *w, const struct basis *b, const struct method_setup *s,
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

static void fv_vector(float *v, const float *w, const struct basis *b, const struct method_setup *s,
                      float *scratch) {
    if (is_distributed(s))
        copy_heads(v, b, s);
    else
        sum_heads(v, w, b, s, scratch);
}

/* Each chosen head at its own layer: its output is added to that of the query. */
static size_t edit_heads(struct edit *items, const float *v, const float *w, size_t R,
                         const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    const size_t width = basis_width(part_of(s), d), D = width / d->H;
    size_t n = 0;
    for (size_t i = 0; i < d->L * d->H; i++) {
        const size_t l = i / d->H, from = i % d->H * D;
        if (w[i] == 0) continue;
        items[n++] = (struct edit){.layer = l,
                                   .site = EDIT_HEADS,
                                   .from = from,
                                   .n = D,
                                   .scale = (float)scale_of(s),
                                   .values = v + l * R * width + from,
                                   .row_stride = R > 1 ? width : 0};
    }
    return n;
}

static size_t fv_edits(struct edit *items, const float *v, const float *w, size_t R,
                       const struct method_setup *s) {
    const bool one = fv_keys(s).sites == FV_ONE_LAYER;
    const size_t first = one ? s->choice : 0, n = one ? 1 : layer_count(s);
    if (is_distributed(s)) return edit_heads(items, v, w, R, s);
    for (size_t i = 0; i < n; i++)
        items[i] = (struct edit){.layer = layer_at(s, first + i),
                                 .scope = EDIT_QUERY,
                                 .scale = (float)scale_of(s),
                                 .values = v,
                                 .row_stride = R > 1 ? s->params->dims.E : 0};
    return n;
}

static size_t fv_edits_most(const struct method_setup *s) {
    if (is_distributed(s)) return method_weights(s);
    return fv_keys(s).sites == FV_ONE_LAYER ? 1 : layer_count(s);
}

/* ---- keys */

static int index_of(const struct config_point *point, const char *key, const char *const *names) {
    return config_has(point, key) ? (int)text_index(names, config_text(point, key)) : 0;
}

/* Points have a key where fv.selection and fv.sites let it matter. */
static void fv_read(struct method_setup *s, const struct config_point *point) {
    s->variant = index_of(point, "fv.reading", CAUSAL_READINGS);
    struct fv_keys keys = {
        .heads = config_int(point, "fv.heads"),
        .prompts = config_has(point, "fv.prompts") ? config_int(point, "fv.prompts") : 0,
        .scale = config_float(point, "fv.scale"),
        .corruption = (enum causal_corruption)index_of(point, "fv.corruption", CAUSAL_CORRUPTIONS),
        .bias = (enum fv_bias)index_of(point, "fv.bias", FV_BIASES),
        .selection = (enum fv_selection)index_of(point, "fv.selection", SELECTIONS),
        .sites = (enum fv_sites)index_of(point, "fv.sites", SITES),
    };
    const size_t n = config_has(point, "fv.layers") ? config_list_size(point, "fv.layers") : 0;
    keys.n_layers = n < FV_LAYERS ? (uint32_t)n : FV_LAYERS; /* more: fv_check refuses them */
    for (size_t i = 0; i < keys.n_layers; i++)
        keys.layers[i] = (uint32_t)config_list_int(point, "fv.layers", i);
    fv_set_keys(s, keys);
}

static enum err_code check_layers(const struct fv_keys *keys, size_t L,
                                  const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    if (!config_has(point, "fv.layers")) return ERR_OK;
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
        .when = "fv.selection=aie|gradient|bottom",
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
        .when = "fv.selection=aie|bottom",
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
        .when = "fv.sites=layers|one_layer",
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
        .when = "fv.sites=layers|one_layer",
        .unit = "",
        .meaning =
            "Blocks, counted from 0, to whose output the vector is added, by default the middle "
            "third; with `fv.sites` one_layer the candidates, by default all.",
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
            "Factor of the vector at each of these blocks (0: 1 divided by their number, "
            "published), or with `fv.sites` distributed of each head (0: chosen on validation "
            "prompts from 0.25, 0.5, 1, 2, 4).",
    },
    {
        .name = "fv.selection",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .def = "aie",
        .choices = SELECTIONS,
        .when = "method=fv",
        .unit = "",
        .meaning =
            "Heads that are chosen: those of largest average indirect effect (published), of "
            "largest attribution by gradients on clean prompts, at random, of smallest effect, "
            "or of largest mean effect over tasks, by a stage `universal` in `of`.",
    },
    {
        .name = "fv.sites",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .def = "layers",
        .choices = SITES,
        .when = "method=fv",
        .unit = "",
        .meaning = "Where heads are added: their sum after each block of `fv.layers`, after one "
                   "block that is chosen on validation prompts, or each head at its own layer.",
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
             .text =
                 "effects are changes of the probability of the answer's first token; corruption "
                 "redrawn is refused, since labels are shuffled once for each prompt",
             .weights = "L x H: 1 for each chosen head, else 0",
             .vector = "v = sum over l of (basis_heads_l D(weights_l)) W_l + n_l b_l; reading "
                       "reprojected: basis_attention for basis_heads; n_l by fv.bias: once: 1 "
                       "where layer l has a chosen head; per_head: their number; none: 0; sites "
                       "distributed: v_l = basis_heads_l D(weights_l)",
             .place = "adds fv.scale v to the output of the blocks fv.layers (defaults: 1 / their "
                      "number, the middle third), or of the chosen block; sites distributed: adds "
                      "fv.scale v_l to the head outputs of every layer l; query"},
    .config = {.variants = CAUSAL_READINGS,
               .rows = KEYS,
               .n = sizeof KEYS / sizeof *KEYS,
               .read = fv_read,
               .check = fv_check},
    .inputs = {.basis = fv_basis,
               .texts = fv_texts,
               .takes_effects = fv_takes_effects,
               .least_points = 3}, /* two labels before the query to shuffle */
    .derivation = {.weights_shape = method_shape_heads,
                   .derive = fv_derive,
                   .bytes = fv_derive_bytes,
                   .work = fv_derive_work,
                   .choices = fv_choices,
                   .chosen = fv_chosen,
                   .chooses_at_basis = true},
    .application = {.vector = fv_vector,
                    .values = fv_values,
                    .edits = fv_edits,
                    .edits_most = fv_edits_most,
                    .scratch = fv_scratch},
};
