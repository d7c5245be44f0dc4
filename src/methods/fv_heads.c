#include "methods/fv_heads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "activations/head_gradient.h"

/* Published: 35 of 96. */
static size_t heads_of(const struct method_setup *s) {
    const size_t all = s->params->dims.L * s->params->dims.H, few = (35 * all + 48) / 96;
    const int64_t given = fv_keys(s).heads;
    assert(given <= (int64_t)all);
    if (given > 0) return (size_t)given;
    return few > 0 ? few : 1;
}

void fv_choose(float *w, const struct model_dims *d, const uint32_t *order, size_t n) {
    assert(n <= d->L * d->H);
    memset(w, 0, d->L * d->H * sizeof *w);
    for (size_t i = 0; i < n; i++) w[order[i]] = 1;
}

/* Effects by patching, which needs the mean over clean prompts. */
static bool patches(const struct method_setup *s) {
    return fv_keys(s).selection == FV_AIE || fv_keys(s).selection == FV_BOTTOM;
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

void fv_texts(size_t n[], const struct method_setup *s, size_t train) {
    const struct method_training all = {.prompts = {.n = train}};
    if (patches(s)) n[METHOD_SHUFFLED] = method_first_prompts(&all, fv_keys(s).prompts);
}

bool fv_takes_effects(const struct method_setup *s) { return fv_keys(s).selection == FV_UNIVERSAL; }

/* Nothing is measured on the training prompts. */
static bool measures_nothing(const struct method_setup *s) {
    return fv_keys(s).selection == FV_RANDOM || fv_takes_effects(s);
}

/* ---- cost */

size_t fv_derive_bytes(const struct method_setup *s, const struct method_training *t) {
    const struct model_dims *d = &s->params->dims;
    struct causal_options o = options_of(s, t);
    const size_t mean = causal_mean_bytes(d, &o),
                 row = basis_set_bytes(d, basis_bit(causal_part(o.reading)), 1);
    o.prompts.n = method_first_prompts(t, fv_keys(s).prompts);
    const size_t effects = method_weights(s) * o.prompts.n * sizeof(float);
    if (measures_nothing(s)) return 0;
    if (!patches(s)) return head_gradient_bytes(d, &o) + effects;
    const size_t map = causal_map_bytes(d, &o) + effects;
    return row + (mean > map ? mean : map);
}

void fv_derive_work(double *contexts, double *tokens, const struct method_setup *s,
                    const struct method_training *t) {
    const double n = (double)method_first_prompts(t, fv_keys(s).prompts),
                 heads = (double)method_weights(s), all = (double)t->prompts.n;
    *contexts = fv_keys(s).corruption == CAUSAL_REDRAWN ? n * heads : n;
    *tokens = n * heads / 2; /* half the layers on average */
    if (patches(s)) return;
    const double passed = measures_nothing(s) ? 0 : n;
    *contexts = passed - all;
    *tokens = 3 * passed - all; /* backward counts as two */
}

/* ---- the derivation */

/* effects [L, H], the average over the n prompts of effect [L, H, n], which is overwritten. */
static enum err_code measure_effects(double *effects, float *effect, struct causal_options *o,
                                     const struct method_training *t, const struct method_setup *s,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = s->params;
    const size_t n = method_first_prompts(t, fv_keys(s).prompts);
    struct basis_set mean = {0};
    if (patches(s)) {
        TRY(basis_set_create(&mean, &p->dims, basis_bit(causal_part(o->reading)), 1, err));
        TRY(causal_mean(&mean, p, o, err));
    }
    o->prompts.n = n;
    if (patches(s)) {
        const struct basis values = basis_set_view(&mean, 0, 1);
        TRY(causal_map(effect, p, &values, o, err));
    } else {
        TRY(head_gradient_map(effect, p, o, err));
    }
    TRY(causal_effects(effects, effect, &p->dims, n, err));
cleanup:
    basis_set_destroy(&mean);
    return rc;
}

static enum err_code rank_by_effects(uint32_t *order, double *effects,
                                     const struct method_training *t, const struct method_setup *s,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t heads = method_weights(s), n = method_first_prompts(t, fv_keys(s).prompts);
    const double total = patches(s) ? (double)(t->prompts.n + n * heads) : (double)n;
    struct causal_progress progress = {t->report, t->context, 0, total};
    struct causal_options o = options_of(s, t);
    float *effect = calloc(heads * n, sizeof *effect);
    CHECK(effect, ERR_MEMORY, "no memory for the effects of %zu prompts", n);
    o.progress = t->report ? &progress : NULL;
    TRY(measure_effects(effects, effect, &o, t, s, err));
    for (size_t i = 0; fv_keys(s).selection == FV_BOTTOM && i < heads; i++)
        effects[i] = -effects[i];
    causal_rank(order, effects, heads);
cleanup:
    free(effect);
    return rc;
}

enum err_code fv_derive(float *w, const struct method_training *t, const struct method_setup *s,
                        struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t heads = method_weights(s);
    double *effects = calloc(heads, sizeof *effects);
    uint32_t *order = calloc(heads, sizeof *order);
    CHECK(effects && order, ERR_MEMORY, "no memory for the effects of %zu heads", heads);
    if (fv_keys(s).selection == FV_RANDOM)
        rng_permutation(order, (uint32_t)heads, t->stream, 0, 0);
    else if (fv_takes_effects(s))
        causal_rank(order, t->effects, heads);
    else
        TRY(rank_by_effects(order, effects, t, s, err));
    fv_choose(w, &s->params->dims, order, heads_of(s));
cleanup:
    free(order);
    free(effects);
    return rc;
}
