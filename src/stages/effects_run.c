#include "stages/effects_run.h"

#include <stdlib.h>

#include "activations/head_gradient.h"
#include "activations/induction.h"
#include "base/text.h"
#include "sources/source_registry.h"
#include "stages/effects_prompts.h"
#include "stages/effects_rows.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"
#include "stats/interval.h"

const char *const EFFECTS_MEASURES[] = {"patching", "gradient", "induction", NULL};

struct effects {
    struct job_ctx *ctx;
    enum effects_measure measure;
    struct model model;
    struct context_share share;
    struct source *source, *shuffled; /* shuffled: of text; NULL of random tokens, both */
    struct causal_options o;
    struct induction_options random; /* of induction, instead of o */
    struct causal_progress progress;
    struct rng stream;
    struct basis_set mean;  /* one row */
    size_t n;               /* prompts of the map, perhaps fewer than asked for */
    float *effect;          /* [L, H, n] */
    double *effects, *one;  /* [L, H], [n] of a head */
    uint32_t *order, *rank; /* [L, H]: heads by effect; the place of each, from 1 */
};

static size_t map_size(const struct effects *e) {
    return e->model.params.dims.L * e->model.params.dims.H;
}

/* ---- keys */

enum effects_measure effects_measure_of(const struct config_point *point) {
    if (!config_has(point, "measure")) return EFFECTS_PATCHING;
    return (enum effects_measure)text_index(EFFECTS_MEASURES, config_text(point, "measure"));
}

struct causal_options effects_options(const struct config_point *point, size_t dims) {
    const size_t n = shared_keys_size(point, "prompts"), points = shared_keys_size(point, "points");
    return (struct causal_options){
        .prompts = {.n = n, .points = points, .dims = dims},
        .T0 = points,
        .chunk = shared_keys_chunk(point, n),
        .contexts = shared_keys_contexts(point),
        .reading = (enum causal_reading)text_index(CAUSAL_READINGS, config_text(point, "reading")),
        .corruption = (enum causal_corruption)text_index(CAUSAL_CORRUPTIONS,
                                                         config_text(point, "corruption")),
    };
}

/* ---- memory and prompts */

static void effects_release(struct effects *e) {
    free(e->order);
    free(e->effects);
    free(e->effect);
    basis_set_destroy(&e->mean);
    source_close(e->shuffled);
    source_close(e->source);
    model_close(&e->model);
}

static enum err_code create_map_arrays(struct effects *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t heads = map_size(e);
    e->effect = calloc(heads * e->n, sizeof *e->effect);
    e->effects = calloc(heads + e->n, sizeof *e->effects);
    e->order = calloc(2 * heads, sizeof *e->order);
    CHECK(e->effect && e->effects && e->order, ERR_MEMORY,
          "no memory for the effects of %zu heads on %zu prompts", heads, e->n);
    e->one = e->effects + heads;
    e->rank = e->order + heads;
    if (e->measure != EFFECTS_PATCHING) return ERR_OK;
    TRY(basis_set_create(&e->mean, &e->model.params.dims, basis_bit(causal_part(e->o.reading)), 1,
                         err));
cleanup:
    return rc;
}

static enum err_code draw(struct effects *e, struct err *err) {
    enum err_code rc = ERR_OK;
    struct causal_options *o = &e->o;
    const struct config_point *point = e->ctx->point;
    const struct model_dims *d = &e->model.params.dims;
    TRY(effects_prompts_open(&e->source, point, e->ctx->seed, d, false, err));
    TRY(effects_prompts_draw(&o->prompts, e->source, point, err));
    if (o->tokens == 0 || e->measure == EFFECTS_GRADIENT) return rc;
    TRY(effects_prompts_open(&e->shuffled, point, e->ctx->seed, d, true, err));
    TRY(effects_prompts_draw(&o->corrupted, e->shuffled, point, err));
cleanup:
    return rc;
}

/* The options of the map, with numbers of prompts but without the prompts themselves. */
static enum err_code set_map_options(struct effects *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct config_point *point = e->ctx->point;
    const struct model_dims *d = &e->model.params.dims;
    e->o = effects_options(point, d->inputs);
    e->o.share = job_model_share(&e->share, e->ctx, &e->model);
    e->o.stream = &e->stream;
    e->o.progress = &e->progress;
    if (source_is_text(point)) TRY(effects_prompts_measure(&e->o, point, e->ctx->seed, d, err));
    e->n = effects_prompts_mapped(&e->o);
cleanup:
    return rc;
}

static enum err_code report(void *context, double done, double total, struct err *err) {
    struct job_ctx *ctx = context;
    if (job_should_stop(ctx))
        return ERR(err, ERR_STOPPED, "stopped after %.0f of %.0f passes", done, total);
    return job_progress(ctx, done, total, err);
}

static enum err_code effects_open(struct effects *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool random = e->measure == EFFECTS_INDUCTION;
    TRY(job_model_open(&e->model, e->ctx, err));
    e->stream = rng_stream(e->ctx->seed, random ? "effects/induction" : "effects/corruption");
    e->progress = (struct causal_progress){.report = report, .context = e->ctx};
    if (random) {
        TRY(effects_prompts_random(&e->random, e->ctx->point, &e->model.params.dims, err));
        e->random.stream = &e->stream;
        e->random.progress = &e->progress;
        e->n = e->random.sequences;
    } else {
        TRY(set_map_options(e, err));
    }
    TRY(create_map_arrays(e, err));
    if (!random) TRY(draw(e, err));
cleanup:
    return rc;
}

/* ---- the map */

static enum err_code patch_heads(struct effects *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = &e->model.params;
    e->progress.total = (double)(e->o.prompts.n + e->n * map_size(e));
    TRY(causal_mean(&e->mean, p, &e->o, err));
    const struct basis values = basis_set_view(&e->mean, 0, 1);
    TRY(causal_map(e->effect, p, &values, &e->o, err));
cleanup:
    return rc;
}

static enum err_code find_map(struct effects *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = &e->model.params;
    e->progress.total = (double)e->n;
    if (e->measure == EFFECTS_PATCHING)
        TRY(patch_heads(e, err));
    else if (e->measure == EFFECTS_GRADIENT)
        TRY(head_gradient_map(e->effect, p, &e->o, err));
    else
        TRY(induction_scores(e->effect, p, &e->random, err));
    TRY(causal_effects(e->effects, e->effect, &p->dims, e->n, err));
    causal_rank(e->order, e->effects, map_size(e));
    for (size_t i = 0; i < map_size(e); i++) e->rank[e->order[i]] = (uint32_t)i + 1;
cleanup:
    return rc;
}

/* ---- results */

#define ROW_COPY(TYPE, name, unit, meaning) .name = row->name,

static enum err_code write_row(struct effects *e, size_t i, const struct effects_text_row *row,
                               struct err *err) {
    if (source_is_text(e->ctx->point)) return effects_text_row_write(e->ctx, i, row, err);
    const struct effects_row of_numbers = {EFFECTS_ROW(ROW_COPY)};
    return effects_row_write(e->ctx, i, &of_numbers, err);
}

static enum err_code write_head_row(struct effects *e, size_t i, struct err *err) {
    const size_t H = e->model.params.dims.H, n = e->n;
    const bool patched = e->measure == EFFECTS_PATCHING;
    for (size_t r = 0; r < n; r++) e->one[r] = (double)e->effect[i * n + r];
    const struct interval effect = interval_t(e->one, n, config_float(e->ctx->point, "confidence"));
    const struct effects_text_row row = {
        .source = e->source ? source_info(e->source)->name : "random tokens",
        .points = e->source ? (int64_t)e->o.T0 : JOB_NO_INT,
        .reading = CAUSAL_READINGS[e->o.reading],
        .corruption = patched ? CAUSAL_CORRUPTIONS[e->o.corruption] : "none",
        .layer = (int64_t)(i / H),
        .head = (int64_t)(i % H),
        .prompts = (int64_t)n,
        .effect = e->effects[i],
        .effect_low = effect.low,
        .effect_high = effect.high,
        .rank = e->rank[i],
        .measure = EFFECTS_MEASURES[e->measure],
    };
    return write_row(e, i, &row, err);
}

static enum err_code write_effects(struct effects *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &e->model.params.dims;
    const enum basis_part part = causal_part(e->o.reading);
    const struct job_tensor effects = {"effects", 3, {d->L, d->H, e->n}, e->effect};
    const struct job_tensor mean = {
        BASIS_NAMES[part], 2, {d->L, basis_width(part, d)}, e->mean.part[part]};
    for (size_t i = 0; i < map_size(e); i++) TRY(write_head_row(e, i, err));
    TRY(job_tensor(e->ctx, &effects, err));
    if (e->measure == EFFECTS_PATCHING) TRY(job_tensor(e->ctx, &mean, err));
cleanup:
    return rc;
}

enum err_code effects_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct effects e = {.ctx = ctx, .measure = effects_measure_of(ctx->point)};
    TRY(effects_open(&e, err));
    TRY(find_map(&e, err));
    TRY(write_effects(&e, err));
cleanup:
    effects_release(&e);
    return rc;
}

ROW_DEFINE(effects_row, EFFECTS_ROW);
ROW_DEFINE(effects_text_row, EFFECTS_TEXT_ROW);
