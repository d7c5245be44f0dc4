/*
 * The baselines of the LTV paper. Function vectors: mean head outputs, the indirect effect of each
 * head on label-shuffled prompts, the order of the heads, the vector, the curve. In-context
 * vectors: the vector, and the curve of prompts edited at every token.
 */
#include "run/verify/verify_fv_icv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_mean.h"
#include "activations/causal_map.h"
#include "methods/fv.h"
#include "methods/icv.h"
#include "model/forward.h"
#include "passes/curve.h"
#include "run/verify/verify_reference.h"
#include "sources/prompt_batch.h"

struct baselines {
    struct verify_report *report;
    const struct fixture *file;
    const struct params *params;
    struct prompt_view prompts; /* the long prompts */
    size_t T0;
};

static enum err_code compare_baseline(const struct baselines *s, const char *part, const char *name,
                                      const float *got, size_t n, enum tolerance tolerance,
                                      struct err *err) {
    return verify_reference_compare(s->report, s->file, part, name, got, n, tolerance, err);
}

/* Whole numbers of the file, all in [0, bound). */
static enum err_code read_integers(struct fixture_array *out, const struct baselines *s,
                                   const char *name, int rank, size_t bound, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(fixture_integers(out, s->file, name, rank, err));
    for (size_t i = 0; i < out->n; i++)
        CHECK(out->integers[i] >= 0 && (size_t)out->integers[i] < bound, ERR_DATA,
              "%s: %s: %lld is out of range", fixture_path(s->file), name,
              (long long)out->integers[i]);
cleanup:
    return rc;
}

struct baseline_case {                 /* what is compared of a method: names in the file */
    const char *part, *vector, *curve; /* vector: NULL, not compared */
    const struct dummy_pairs *dummies; /* NULL: none */
};

/* Vector and predictions at every length of a method with a mean basis, by the functions of
 * `evaluate`. */
static enum err_code compare_method(const struct baselines *s, const struct method_setup *setup,
                                    const struct basis_set *mean, const float *w,
                                    const struct baseline_case *what, struct err *err) {
    enum err_code rc = ERR_OK;
    struct curve c = {0};
    const struct prompt_view *p = &s->prompts;
    const struct basis basis = basis_set_view(mean, 0, 1);
    const struct curve_options o = {.setup = setup,
                                    .chunk = p->n,
                                    .points = p->points,
                                    .window_points = s->T0,
                                    .trained_points = s->T0,
                                    .dummies = what->dummies};
    float *prediction = calloc(p->n * p->points, sizeof *prediction);
    CHECK(prediction, ERR_MEMORY, "no memory for a curve of %zu prompts", p->n);
    TRY(curve_create(&c, &o, err));
    curve_predict(prediction, &c, p, &basis, w);
    if (what->vector)
        TRY(compare_baseline(s, what->part, what->vector, c.pass.v, method_values(setup),
                             TOLERANCE_FORWARD, err));
    TRY(compare_baseline(s, what->part, what->curve, prediction, p->n * p->points,
                         TOLERANCE_FORWARD, err));
cleanup:
    curve_destroy(&c);
    free(prediction);
    return rc;
}

/* ---- fv */

static struct causal_options causal_of(const struct baselines *s) {
    return (struct causal_options){.prompts = s->prompts,
                                   .T0 = s->T0,
                                   .chunk = s->prompts.n,
                                   .reading = CAUSAL_REPROJECTED,
                                   .corruption = CAUSAL_REDRAWN};
}

/* The mean in the file covers every token of the first T0 points, [L, H, 2 T0, D]; the basis holds
 * that of the query. */
static enum err_code compare_query_mean(const struct baselines *s, const struct basis_set *mean,
                                        const struct fixture_array *want, struct err *err) {
    const struct model_dims *d = &s->params->dims;
    const size_t D = model_head_width(d), T = 2 * s->T0;
    double error = 0;
    for (size_t l = 0; l < d->L; l++)
        for (size_t h = 0; h < d->H; h++)
            error =
                fmax(error, verify_max_error(mean->part[BASIS_ATTENTION] + l * d->E + h * D,
                                             want->floats + ((l * d->H + h) * T + T - 2) * D, D));
    return verify_error(s->report, "fv", "fv/universal_mean_activation (query)", error,
                        tolerance_of(TOLERANCE_FORWARD, want->floats, want->n), err);
}

/* Mean over prompts of coordinate e of the attention block's output at token t. */
static double mean_at(const struct forward *fw, size_t l, size_t t, size_t e) {
    double sum = 0;
    for (size_t b = 0; b < fw->B; b++)
        sum += (double)fw->layers[l].a[(b * fw->length + t) * fw->dims.E + e];
    return sum / (double)fw->B;
}

static double token_means_error(const struct forward *fw, const float *want) {
    const struct model_dims *d = &fw->dims;
    const size_t D = model_head_width(d);
    double error = 0;
    for (size_t l = 0; l < d->L; l++)
        for (size_t h = 0; h < d->H; h++)
            for (size_t t = 0; t < fw->length; t++)
                for (size_t i = 0; i < D; i++, want++) {
                    const float got = (float)mean_at(fw, l, t, h * D + i);
                    error = fmax(error, verify_max_error(&got, want, 1));
                }
    return error;
}

/* By the full forward pass, since a basis holds the query token alone. */
static enum err_code compare_token_means(const struct baselines *s,
                                         const struct fixture_array *want, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_view *p = &s->prompts;
    const size_t T = 2 * s->T0;
    struct forward fw = {0};
    float *tokens = calloc(p->n * T * p->dims, sizeof *tokens);
    CHECK(tokens, ERR_MEMORY, "no memory for the tokens of %zu prompts", p->n);
    TRY(forward_create(&fw, &s->params->dims, p->n, T, false, err));
    prompt_batch_sequences(tokens, p, s->T0);
    forward_run(&fw, s->params, tokens, p->n, T);
    TRY(verify_error(s->report, "fv", "fv/universal_mean_activation (every token)",
                     token_means_error(&fw, want->floats),
                     tolerance_of(TOLERANCE_FORWARD, want->floats, want->n), err));
cleanup:
    forward_destroy(&fw);
    free(tokens);
    return rc;
}

static enum err_code compare_means(const struct baselines *s, const struct basis_set *mean,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array want = {0};
    const struct model_dims *d = &s->params->dims;
    TRY(fixture_floats(&want, s->file, "fv/universal_mean_activation", 4, err));
    CHECK(want.n == d->L * d->E * 2 * s->T0, ERR_DATA,
          "%s: fv/universal_mean_activation: wrong shape", fixture_path(s->file));
    TRY(compare_query_mean(s, mean, &want, err));
    TRY(compare_token_means(s, &want, err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

/* effects [L, H]. */
static enum err_code compare_effects(double *effects, const struct baselines *s,
                                     const struct basis_set *mean, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    const size_t heads = d->L * d->H, n = s->prompts.n;
    struct fixture_array permutations = {0};
    struct causal_options o = causal_of(s);
    const struct basis values = basis_set_view(mean, 0, 1);
    float *effect = calloc(heads * (n + 1), sizeof *effect), *by_head = effect + heads * n;
    CHECK(effect, ERR_MEMORY, "no memory for the effects of %zu heads", heads);
    TRY(read_integers(&permutations, s, "fv/corruption_permutation_per_layer_head", 3, s->T0, err));
    CHECK(permutations.n == heads * s->T0, ERR_DATA,
          "%s: fv/corruption_permutation_per_layer_head: wrong shape", fixture_path(s->file));
    o.permutations = permutations.integers;
    TRY(causal_map(effect, s->params, &values, &o, err));
    TRY(causal_effects(effects, effect, d, n, err));
    for (size_t l = 0; l < d->L; l++)
        for (size_t h = 0; h < d->H; h++) by_head[h * d->L + l] = (float)effects[l * d->H + h];
    TRY(compare_baseline(s, "fv", "fv/indirect_effect_head_by_layer", by_head, heads,
                         TOLERANCE_EFFECT, err));
cleanup:
    fixture_array_release(&permutations);
    free(effect);
    return rc;
}

/* Pairs in the file are (head, layer). w [L, H] becomes 1 for that many heads of largest effect. */
static enum err_code compare_order(float *w, const struct baselines *s, const double *effects,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    const size_t heads = d->L * d->H;
    struct fixture_array pairs = {0};
    size_t wrong = 0;
    uint32_t *order = calloc(heads, sizeof *order);
    CHECK(order, ERR_MEMORY, "no memory for the order of %zu heads", heads);
    TRY(fixture_integers(&pairs, s->file, "fv/top_head_layer_pairs", 2, err));
    CHECK(pairs.shape[1] == 2 && pairs.shape[0] <= heads, ERR_DATA,
          "%s: fv/top_head_layer_pairs: wrong shape", fixture_path(s->file));
    causal_rank(order, effects, heads);
    for (size_t i = 0; i < pairs.shape[0]; i++)
        wrong += pairs.integers[2 * i] != (int64_t)(order[i] % d->H) ||
                 pairs.integers[2 * i + 1] != (int64_t)(order[i] / d->H);
    fv_choose(w, d, order, pairs.shape[0]);
    TRY(verify_error(s->report, "fv", "fv/top_head_layer_pairs (wrong)", (double)wrong,
                     tolerance_bound(TOLERANCE_TOP_HEADS, 1), err));
cleanup:
    fixture_array_release(&pairs);
    free(order);
    return rc;
}

static enum err_code set_fv(struct method_setup *setup, const struct baselines *s,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array a = {0};
    struct fv_keys keys = {.bias = FV_PER_HEAD};
    TRY(read_integers(&a, s, "fv/edit_layers", 1, s->params->dims.L, err));
    CHECK(a.n > 0 && a.n <= FV_LAYERS, ERR_DATA, "%s: fv/edit_layers: %zu layers",
          fixture_path(s->file), a.n);
    for (size_t i = 0; i < a.n; i++) keys.layers[i] = (uint32_t)a.integers[i];
    keys.n_layers = (uint32_t)a.n;
    method_setup_named(setup, "fv", s->params);
    setup->variant = CAUSAL_REPROJECTED;
    fv_set_keys(setup, keys);
cleanup:
    fixture_array_release(&a);
    return rc;
}

/* The prompts without their last n points, which makes room for dummy pairs. The caller frees
 * *block. */
static enum err_code shorten(struct prompt_view *out, float **block, const struct prompt_view *p,
                             size_t n, struct err *err) {
    const size_t T = p->points - n, D = p->dims;
    *block = calloc(p->n * T * (D + 1), sizeof **block);
    if (!*block) return ERR(err, ERR_MEMORY, "no memory for %zu prompts", p->n);
    float *x = *block, *y = x + p->n * T * D;
    for (size_t i = 0; i < p->n; i++) {
        memcpy(x + i * T * D, prompt_view_x(p, i, 0), T * D * sizeof *x);
        memcpy(y + i * T, p->y + i * p->points, T * sizeof *y);
    }
    *out = (struct prompt_view){.n = p->n, .points = T, .dims = D, .x = x, .y = y};
    return ERR_OK;
}

static enum err_code compare_dummies(const struct baselines *s, const struct method_setup *setup,
                                     const struct basis_set *mean, const float *w,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array fractions = {0};
    struct dummy_pairs dummies = {.rule = DUMMIES_AS_PUBLISHED};
    struct baselines fewer = *s;
    float *block = NULL;
    TRY(fixture_doubles(&fractions, s->file, "fv/dummy_fractions", 1, err));
    CHECK(fractions.n <= DUMMIES_MOST && fractions.n < s->prompts.points, ERR_DATA,
          "%s: fv/dummy_fractions: %zu fractions", fixture_path(s->file), fractions.n);
    for (; dummies.n < fractions.n; dummies.n++) {
        dummies.fraction[dummies.n] = fractions.doubles[dummies.n];
        CHECK(dummies.fraction[dummies.n] >= 0 && dummies.fraction[dummies.n] < 1, ERR_DATA,
              "%s: fv/dummy_fractions: %g", fixture_path(s->file), fractions.doubles[dummies.n]);
    }
    TRY(shorten(&fewer.prompts, &block, &s->prompts, dummies.n, err));
    const struct baseline_case dummy = {"fv", NULL, "fv/curve_dummy", &dummies};
    TRY(compare_method(&fewer, setup, mean, w, &dummy, err));
cleanup:
    free(block);
    fixture_array_release(&fractions);
    return rc;
}

static enum err_code compare_fv(const struct baselines *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    const struct causal_options o = causal_of(s);
    struct method_setup setup;
    struct basis_set mean = {0};
    double *effects = calloc(d->L * d->H, sizeof *effects);
    float *w = calloc(d->L * d->H, sizeof *w);
    CHECK(effects && w, ERR_MEMORY, "no memory for the effects of %zu heads", d->L * d->H);
    TRY(set_fv(&setup, s, err));
    TRY(basis_set_create(&mean, d, method_basis(&setup), 1, err));
    TRY(causal_mean(&mean, s->params, &o, err));
    TRY(compare_means(s, &mean, err));
    TRY(compare_effects(effects, s, &mean, err));
    TRY(compare_order(w, s, effects, err));
    const struct baseline_case plain = {"fv", "fv/function_vector", "fv/curve_no_dummy", NULL};
    TRY(compare_method(s, &setup, &mean, w, &plain, err));
    TRY(compare_dummies(s, &setup, &mean, w, err));
cleanup:
    basis_set_destroy(&mean);
    free(w);
    free(effects);
    return rc;
}

/* ---- icv */

/* The mean step of all prompts. */
static enum err_code mean_step(struct basis_set *mean, const struct baselines *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    const size_t n = s->prompts.n;
    const struct basis_mean_options o = {.params = s->params, .prompts = s->prompts, .chunk = n};
    struct basis_collector *c = NULL;
    TRY(basis_set_create(mean, d, basis_bit(BASIS_STEP), 1, err));
    TRY(basis_collector_create(&c, d, s->T0, n, CONTEXT_SINGLE, err));
    TRY(basis_mean(mean, c, &o, err));
cleanup:
    basis_collector_destroy(c);
    return rc;
}

static enum err_code compare_icv(const struct baselines *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct method_training t = {.prompts = s->prompts, .T0 = s->T0, .chunk = s->prompts.n};
    struct method_setup setup;
    struct fixture_array scale = {0};
    struct basis_set mean = {0};
    float *w = NULL;
    TRY(fixture_floats(&scale, s->file, "icv/lambda_", 0, err));
    method_setup_named(&setup, "icv", s->params);
    icv_set_keys(&setup, (struct icv_keys){
                             .scale = (double)scale.floats[0], .layer_shift = 1, .mean = true});
    w = calloc(method_weights(&setup), sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for a vector");
    TRY(setup.method->derivation.derive(w, &t, &setup, err));
    TRY(mean_step(&mean, s, err));
    const struct baseline_case both = {"icv", "icv/vector", "icv/curve", NULL};
    TRY(compare_method(s, &setup, &mean, w, &both, err));
cleanup:
    free(w);
    basis_set_destroy(&mean);
    fixture_array_release(&scale);
    return rc;
}

enum err_code verify_fv_icv(struct verify_report *r, const struct fixture *f,
                            const struct params *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct verify_reference_prompts given;
    if (!fixture_has(f, "fv") && !fixture_has(f, "icv")) return ERR_OK;
    TRY(verify_reference_prompts(&given, f, "ltv/xs_long", "ltv/ys_long", &p->dims, err));
    const struct baselines s = {
        .report = r, .file = f, .params = p, .prompts = given.view, .T0 = given.T0};
    if (fixture_has(f, "fv")) TRY(compare_fv(&s, err));
    if (fixture_has(f, "icv")) TRY(compare_icv(&s, err));
cleanup:
    verify_reference_release(&given);
    return rc;
}
