/*
 * effects - the causal map: the average indirect effect of each head on label-shuffled prompts.
 *
 * Activation patching as in Todd et al., ICLR 2024, section 2.3: each head's output at the query is
 * replaced by its mean over clean prompts. The definition is in activations/causal_map.h, which the
 * derivation of `fv` uses too. Prompts are of the split "effects", one function each; clean mean
 * and map use the same prompts, and no fit or evaluation sees them. Of text, both ask pairs for
 * validation, and the map reads the shuffled prompts of a second source.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/causal_map.h"
#include "activations/head_gradient.h"
#include "base/text.h"
#include "methods/method.h"
#include "passes/flops.h"
#include "sources/source_registry.h"
#include "stages/effects_prompts.h"
#include "stages/effects_rows.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"
#include "stats/interval.h"

static const char *const MEASURES[] = {"patching", "gradient", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 3,
        .max = 1e6,
        .unit = "points",
        .meaning = "Points per prompt, 3 or more; the query is the last x.",
    },
    {
        .name = "prompts",
        .type = CONFIG_INT,
        .min = 2,
        .max = 1e7,
        .def = "256",
        .unit = "prompts",
        .meaning = "Number of prompts, with one function each, clean and label-shuffled.",
    },
    {
        .name = "reading",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "\"heads\"",
        .choices = CAUSAL_READINGS,
        .unit = "",
        .meaning = "Definition of a head's output: its own, or a slice of the attention block's "
                   "output (published, regression).",
    },
    {
        .name = "corruption",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "\"shared\"",
        .choices = CAUSAL_CORRUPTIONS,
        .unit = "",
        .meaning = "Label order of the shuffled prompts: one per prompt for all heads, or redrawn "
                   "for each head and shared by all prompts (published, needs a context per head).",
    },
    {
        .name = "measure",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .def = "\"patching\"",
        .choices = MEASURES,
        .when = "source.kind=text",
        .unit = "",
        .meaning = "Effect of a head: by activation patching, or gradient times output on clean "
                   "prompts.",
    },
    {
        .name = "chunk",
        .type = CONFIG_INT,
        .min = 1,
        .max = 1e5,
        .def = "128",
        .unit = "prompts",
        .meaning = "Number of prompts that pass through the model together.",
    },
    {
        .name = "confidence",
        .type = CONFIG_FLOAT,
        .min = 0.5,
        .max = 0.9999,
        .def = "0.95",
        .unit = "",
        .meaning = "Confidence level of the intervals over prompts.",
    },
};

struct effects {
    struct job_ctx *ctx;
    struct model model;
    struct context_share share;
    struct source *source, *shuffled; /* shuffled: of text */
    struct basis_set mean;            /* one row */
    float *effect;                    /* [L, H, prompts] */
    double *effects, *one;            /* [L, H], [prompts] of a head */
    uint32_t *order, *rank;           /* [L, H]: heads by effect; the place of each, from 1 */
};

static size_t map_size(const struct model_dims *d) { return d->L * d->H; }

static enum causal_reading reading_of(const struct config_point *point) {
    return (enum causal_reading)text_index(CAUSAL_READINGS, config_text(point, "reading"));
}

static enum causal_corruption corruption_of(const struct config_point *point) {
    return (enum causal_corruption)text_index(CAUSAL_CORRUPTIONS, config_text(point, "corruption"));
}

static bool by_gradient(const struct config_point *point) {
    return config_has(point, "measure") && strcmp(config_text(point, "measure"), "gradient") == 0;
}

/* Prompts of the map, which may be fewer than asked for. */
static size_t mapped(const struct causal_options *o) {
    return o->tokens > 0 ? o->corrupted.n : o->prompts.n;
}

/* The caller adds the prompts' arrays, the stream and the progress callback. */
static struct causal_options options_of(const struct config_point *point, size_t dims) {
    const size_t n = shared_keys_size(point, "prompts"), points = shared_keys_size(point, "points");
    return (struct causal_options){.prompts = {.n = n, .points = points, .dims = dims},
                                   .T0 = points,
                                   .chunk = shared_keys_chunk(point, n),
                                   .contexts = shared_keys_contexts(point),
                                   .reading = reading_of(point),
                                   .corruption = corruption_of(point)};
}

static void effects_release(struct effects *e) {
    free(e->order);
    free(e->effects);
    free(e->effect);
    basis_set_destroy(&e->mean);
    source_close(e->shuffled);
    source_close(e->source);
    model_close(&e->model);
}

static enum err_code create_map_arrays(struct effects *e, const struct causal_options *o,
                                       struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &e->model.params.dims;
    const size_t heads = map_size(d), n = mapped(o);
    e->effect = calloc(heads * n, sizeof *e->effect);
    e->effects = calloc(heads + n, sizeof *e->effects);
    e->order = calloc(2 * heads, sizeof *e->order);
    CHECK(e->effect && e->effects && e->order, ERR_MEMORY,
          "no memory for the effects of %zu heads on %zu prompts", heads, n);
    e->one = e->effects + heads;
    e->rank = e->order + heads;
    TRY(basis_set_create(&e->mean, d, basis_bit(causal_part(o->reading)), 1, err));
cleanup:
    return rc;
}

static enum err_code draw(struct effects *e, struct causal_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct config_point *point = e->ctx->point;
    const struct model_dims *d = &e->model.params.dims;
    TRY(effects_prompts_open(&e->source, point, e->ctx->seed, d, false, err));
    TRY(effects_prompts_draw(&o->prompts, e->source, point, err));
    if (o->tokens == 0 || by_gradient(point)) return rc;
    TRY(effects_prompts_open(&e->shuffled, point, e->ctx->seed, d, true, err));
    TRY(effects_prompts_draw(&o->corrupted, e->shuffled, point, err));
cleanup:
    return rc;
}

static enum err_code report(void *context, double done, double total, struct err *err) {
    struct job_ctx *ctx = context;
    if (job_should_stop(ctx))
        return ERR(err, ERR_STOPPED, "stopped after %.0f of %.0f passes", done, total);
    return job_progress(ctx, done, total, err);
}

static enum err_code find_map(struct effects *e, struct causal_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = &e->model.params;
    const size_t heads = map_size(&p->dims), n = mapped(o);
    const struct rng stream = rng_stream(e->ctx->seed, "effects/corruption");
    struct causal_progress progress = {report, e->ctx, 0, (double)(o->prompts.n + n * heads)};
    o->stream = &stream;
    o->progress = &progress;
    if (by_gradient(e->ctx->point)) {
        progress.total = (double)n;
        TRY(head_gradient_map(e->effect, p, o, err));
    } else {
        TRY(causal_mean(&e->mean, p, o, err));
        const struct basis values = basis_set_view(&e->mean, 0, 1);
        TRY(causal_map(e->effect, p, &values, o, err));
    }
    TRY(causal_effects(e->effects, e->effect, &p->dims, n, err));
    causal_rank(e->order, e->effects, heads);
    for (size_t i = 0; i < heads; i++) e->rank[e->order[i]] = (uint32_t)i + 1;
cleanup:
    return rc;
}

/* ---- results */

static enum err_code write_head_row(struct effects *e, const struct causal_options *o, size_t i,
                                    struct err *err) {
    const size_t H = e->model.params.dims.H, n = mapped(o);
    for (size_t r = 0; r < n; r++) e->one[r] = (double)e->effect[i * n + r];
    const struct interval effect = interval_t(e->one, n, config_float(e->ctx->point, "confidence"));
    const struct effects_row row = {
        .source = source_info(e->source)->name,
        .points = (int64_t)o->T0,
        .reading = CAUSAL_READINGS[o->reading],
        .corruption = by_gradient(e->ctx->point) ? "none" : CAUSAL_CORRUPTIONS[o->corruption],
        .layer = (int64_t)(i / H),
        .head = (int64_t)(i % H),
        .prompts = (int64_t)n,
        .effect = e->effects[i],
        .effect_low = effect.low,
        .effect_high = effect.high,
        .rank = e->rank[i],
    };
    return effects_row_write(e->ctx, i, &row, err);
}

static enum err_code write_effects(struct effects *e, const struct causal_options *o,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &e->model.params.dims;
    const enum basis_part part = causal_part(o->reading);
    const struct job_tensor effects = {"effects", 3, {d->L, d->H, mapped(o)}, e->effect};
    const struct job_tensor mean = {
        BASIS_NAMES[part], 2, {d->L, basis_width(part, d)}, e->mean.part[part]};
    for (size_t i = 0; i < map_size(d); i++) TRY(write_head_row(e, o, i, err));
    TRY(job_tensor(e->ctx, &effects, err));
    if (!by_gradient(e->ctx->point)) TRY(job_tensor(e->ctx, &mean, err));
cleanup:
    return rc;
}

static enum err_code effects_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct effects e = {.ctx = ctx};
    TRY(job_model_open(&e.model, ctx, err));
    struct causal_options o = options_of(ctx->point, e.model.params.dims.inputs);
    o.share = job_model_share(&e.share, ctx, &e.model);
    if (source_is_text(ctx->point))
        TRY(effects_prompts_measure(&o, ctx->point, ctx->seed, &e.model.params.dims, err));
    TRY(create_map_arrays(&e, &o, err));
    TRY(draw(&e, &o, err));
    TRY(find_map(&e, &o, err));
    TRY(write_effects(&e, &o, err));
cleanup:
    effects_release(&e);
    return rc;
}

/* ---- plan */

/* Context tokens of a prompt. */
static size_t context_tokens(const struct causal_options *o) {
    return o->tokens > 0 ? o->tokens : 2 * (o->T0 - 1);
}

/* Clean and corrupted contexts, and for every head one token of each prompt from its layer to the
 * end: half of the layers on average. The tokens of the heads of a layer read a context together.
 * Text: and the logits of the first tokens of answers.
 */
static struct job_load load_of(const struct causal_options *o, const struct model_dims *d) {
    const double T = (double)context_tokens(o), n = (double)mapped(o);
    const double heads = (double)map_size(d), layers = (double)d->L;
    const bool shared = o->corruption == CAUSAL_SHARED;
    struct job_load load = {0};
    flops_add_contexts(&load, d, (double)o->prompts.n + n * (shared ? 1 : heads), T);
    flops_add_queries(&load, d, n * (2 + heads / 2), T);
    flops_add_reading(&load, d, n * (2 + (shared ? layers : heads) / 2), T, o->contexts);
    if (o->tokens > 0) load.queries += flops_logits(d, n * (1 + heads), (double)d->vocabulary);
    return load;
}

/* Forward, backward (counted as two passes), and all logits of a prompt. */
static struct job_load gradient_load(const struct causal_options *o, const struct model_dims *d) {
    const double T = (double)o->tokens, n = (double)o->prompts.n;
    struct job_load load = {0};
    flops_add_contexts(&load, d, n, T);
    flops_add_queries(&load, d, 3 * n, T);
    flops_add_reading(&load, d, 3 * n, T, o->contexts);
    load.queries += flops_logits(d, 2 * n, (double)d->vocabulary);
    return load;
}

static double memory_needed(const struct causal_options *o, const struct job_model *model,
                            const struct source *source, bool gradient) {
    const struct model_dims *d = &model->dims;
    const size_t n = mapped(o), mean = gradient ? 0 : causal_mean_bytes(d, o);
    const size_t map = gradient ? head_gradient_bytes(d, o) : causal_map_bytes(d, o);
    const size_t views = (o->tokens > 0 ? 2 : 1) * source_bytes(source, o->prompts.n, o->T0);
    return (double)(views + model->bytes + map_size(d) * n * sizeof(float) + n * sizeof(double) +
                    (mean > map ? mean : map));
}

static enum err_code plan_prompts(struct causal_options *o, struct source **source,
                                  const struct config_point *point, const struct model_dims *d,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(effects_prompts_open(source, point, config_point_seed(point), d, false, err));
    TRY(effects_prompts_check(*source, point, d, err));
    if (source_info(*source)->answers)
        TRY(effects_prompts_measure(o, point, config_point_seed(point), d, err));
    else
        TRY(shared_keys_check_points(point, "points", o->T0, d, err));
    TRY(shared_keys_check_room(point, o->prompts.n, context_tokens(o) / 2 + 1, d, err));
cleanup:
    return rc;
}

/* Operations: contexts with labels redrawn for each head are not kept. */
static double shared_contexts_of(const struct causal_options *o, const struct model_dims *d,
                                 double all) {
    struct job_load clean = {0};
    flops_add_contexts(&clean, d, (double)o->prompts.n, (double)context_tokens(o));
    return o->corruption == CAUSAL_REDRAWN ? clean.contexts : all;
}

static void predict_cost(struct job_cost *cost, const struct causal_options *o,
                         const struct job_model *model, const struct source *source,
                         bool gradient) {
    const struct model_dims *d = &model->dims;
    *cost = (struct job_cost){.load = gradient ? gradient_load(o, d) : load_of(o, d),
                              .group = 1,
                              .work = (double)o->prompts.n,
                              .unit = "prompts"};
    cost->memory = cost->memory_least = memory_needed(o, model, source, gradient);
    cost->shared = shared_contexts_of(o, d, cost->load.contexts);
    cost->context_bytes = (o->corruption == CAUSAL_REDRAWN ? 1 : 2) *
                          (double)context_bytes(d, o->prompts.n, context_tokens(o), o->contexts);
    (void)snprintf(cost->context_of, sizeof cost->context_of, "effects");
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu head%s x %zu prompt%s x %zu point%s",
                   map_size(d), text_plural(map_size(d)), o->prompts.n, text_plural(o->prompts.n),
                   o->T0, text_plural(o->T0));
}

static enum err_code effects_plan(struct job_cost *cost, const struct config_point *point,
                                  const char *control, const struct stage_parent *parents, size_t n,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    struct source *source = NULL;
    (void)control;
    TRY(job_model_plan(&model, point, parents, n, err));
    struct causal_options o = options_of(point, model.dims.inputs);
    CHECK_CONFIG(!by_gradient(point) || o.reading == CAUSAL_HEADS, point, "reading",
                 "gradients are those of head outputs: set it to \"heads\"");
    TRY(method_check_reprojected(&model.dims, point, "reading", err));
    TRY(plan_prompts(&o, &source, point, &model.dims, err));
    predict_cost(cost, &o, &model, source, by_gradient(point));
    cost->mapped = (double)model.mapped;
cleanup:
    source_close(source);
    return rc;
}

ROW_DEFINE(effects_row, EFFECTS_ROW);

static const char *const PARENTS[] = {"pretrain", NULL};
static const char *const CONTEXT_KEYS[] = {"!reading", "!confidence", "!model.", NULL};

extern const struct stage stage_effects;
const struct stage stage_effects = {
    .name = "effects",
    .meaning = "Causal map: the average indirect effect of each head on label-shuffled prompts, "
               "by activation patching.",
    .version = 1,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS,
    .parents = PARENTS,
    .context_keys = CONTEXT_KEYS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &effects_row_columns,
    .plan = effects_plan,
    .run = effects_run,
};
