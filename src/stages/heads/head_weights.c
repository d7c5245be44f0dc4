/*
 * head_weights - the weights of heads that a fit has learned, and how far each is from where the
 * fit began.
 *
 * Initial weights are as large as what training adds to them, or larger: those published for text
 * are mostly the draw they began from (docs/methods.md). So maps of heads are compared by the
 * change. Initial weights follow from the keys of the fit and the seed, and are made again here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/causal_map.h"
#include "sources/source_registry.h"
#include "stages/fit_initial_weights.h"
#include "stages/fit_keys.h"
#include "stages/fitted_method.h"
#include "stages/heads/head_weights_rows.h"
#include "stages/job_model.h"

struct head_weights {
    struct job_ctx *ctx;
    const struct job_input *fit;
    struct fit_keys keys;
    struct model model;
    struct fitted_method fitted;
    size_t heads; /* L H, and as many in each array */
    float *initial;
    double *size, *change;                /* without sign, and with it */
    uint32_t *order, *rank, *change_rank; /* ranks from 1 */
    char source[96];
};

/* A weight for each head: learned, since nothing is learned where there is no beginning. */
static bool weighs_heads(const struct config_point *fit) {
    const struct method *m = method_find(config_text(fit, "method"));
    return m && method_learns(m) && m->derivation.weights_shape == method_shape_heads;
}

static bool head_weights_takes(const struct config_point *point, const struct config_point *job) {
    (void)point;
    return config_has(job, "method") && weighs_heads(job);
}

static void head_weights_release(struct head_weights *w) {
    free(w->order);
    free(w->size);
    free(w->initial);
    fitted_method_close(&w->fitted);
    model_close(&w->model);
}

static enum err_code create_head_arrays(struct head_weights *w, struct err *err) {
    const struct model_dims *d = &w->model.params.dims;
    w->heads = d->L * d->H;
    w->initial = calloc(w->heads, sizeof *w->initial);
    w->size = calloc(2 * w->heads, sizeof *w->size);
    w->order = calloc(3 * w->heads, sizeof *w->order);
    if (!w->initial || !w->size || !w->order)
        return ERR(err, ERR_MEMORY, "no memory for the weights of %zu heads", w->heads);
    w->change = w->size + w->heads;
    w->rank = w->order + w->heads;
    w->change_rank = w->rank + w->heads;
    return ERR_OK;
}

/* As the fit made them: fit_run.c. */
static enum err_code find_initial_weights(struct head_weights *w, struct err *err) {
    struct job_ctx as_fit = *w->ctx;
    const struct rng stream = fit_stream(&w->keys, w->ctx->seed, "init");
    as_fit.point = w->fit->point;
    return fit_initial_weights(w->initial, &as_fit, &w->fitted.setup, &stream, err);
}

static enum err_code open_head_weights(struct head_weights *w, struct err *err) {
    enum err_code rc = ERR_OK;
    w->fit = job_model_fit_input(w->ctx);
    CHECK(w->fit, ERR_BUG, "weights of heads without a fit");
    fit_keys_read(&w->keys, w->fit->point);
    source_name(w->source, sizeof w->source, w->fit->point);
    TRY(job_model_open(&w->model, w->ctx, err));
    TRY(fitted_method_open(&w->fitted, w->fit->point, w->fit->artifact, &w->model.params, err));
    TRY(create_head_arrays(w, err));
    TRY(find_initial_weights(w, err));
cleanup:
    return rc;
}

static void rank_by(uint32_t *rank, struct head_weights *w, const double *value) {
    for (size_t i = 0; i < w->heads; i++) w->size[i] = value[i] < 0 ? -value[i] : value[i];
    causal_rank(w->order, w->size, w->heads);
    for (size_t i = 0; i < w->heads; i++) rank[w->order[i]] = (uint32_t)i + 1;
}

static void rank_heads(struct head_weights *w) {
    for (size_t i = 0; i < w->heads; i++) w->change[i] = (double)w->fitted.w[i];
    rank_by(w->rank, w, w->change);
    for (size_t i = 0; i < w->heads; i++) w->change[i] -= (double)w->initial[i];
    rank_by(w->change_rank, w, w->change);
}

/* ---- results */

static enum err_code write_head(struct head_weights *w, size_t i, struct err *err) {
    const size_t H = w->model.params.dims.H;
    const struct head_weights_row row = {
        .method = w->fitted.setup.method->name,
        .reading = method_variant(&w->fitted.setup),
        .source = w->source,
        .points = config_int(w->fit->point, "points"),
        .repeat = w->keys.repeat,
        .layer = (int64_t)(i / H),
        .head = (int64_t)(i % H),
        .weight = (double)w->fitted.w[i],
        .initial = (double)w->initial[i],
        .change = w->change[i],
        .rank = w->rank[i],
        .change_rank = w->change_rank[i],
    };
    return head_weights_row_write(w->ctx, i, &row, err);
}

static enum err_code write_head_weights(struct head_weights *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &w->model.params.dims;
    const struct job_tensor weights = {"weights", 2, {d->L, d->H}, w->fitted.w};
    const struct job_tensor initial = {"initial", 2, {d->L, d->H}, w->initial};
    const char *variant = method_variant(&w->fitted.setup);
    char fit[96], repeat[32];
    (void)snprintf(fit, sizeof fit, "%s%s%s", w->fitted.setup.method->name, variant[0] ? "." : "",
                   variant);
    (void)snprintf(repeat, sizeof repeat, "%lld", (long long)w->keys.repeat);
    for (size_t i = 0; i < w->heads; i++) TRY(write_head(w, i, err));
    TRY(job_tensor(w->ctx, &weights, err));
    TRY(job_tensor(w->ctx, &initial, err));
    TRY(job_note(w->ctx, "fit", fit, err));
    TRY(job_note(w->ctx, "repeat", repeat, err));
    TRY(job_progress(w->ctx, 1, 1, err));
cleanup:
    return rc;
}

static enum err_code head_weights_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct head_weights w = {.ctx = ctx};
    TRY(open_head_weights(&w, err));
    rank_heads(&w);
    TRY(write_head_weights(&w, err));
cleanup:
    head_weights_release(&w);
    return rc;
}

/* ---- plan */

static enum err_code head_weights_plan(struct job_cost *cost, const struct config_point *point,
                                       const char *control, const struct stage_parent *parents,
                                       size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    (void)control;
    TRY(job_model_plan(&model, point, parents, n, err));
    const size_t heads = model.dims.L * model.dims.H;
    *cost = (struct job_cost){.load = {.estimates = 1e6},
                              .memory = (double)model.bytes + 64.0 * (double)heads,
                              .group = 1,
                              .work = 1,
                              .unit = "fits",
                              .mapped = (double)model.mapped};
    cost->memory_least = cost->memory;
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu heads of a fit", heads);
cleanup:
    return rc;
}

ROW_DEFINE(head_weights_row, HEAD_WEIGHTS_ROW);

static const char *const PARENTS[] = {"fit", "choose", NULL};

extern const struct stage stage_head_weights;
const struct stage stage_head_weights = {
    .name = "head_weights",
    .meaning = "The weight of each head in a fit that learns one for each, and how far it is from "
               "where the fit began.",
    .version = 1,
    .parents = PARENTS,
    .takes = head_weights_takes,
    .columns = &head_weights_row_columns,
    .plan = head_weights_plan,
    .run = head_weights_run,
};
