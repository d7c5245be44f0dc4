#include "stages/heads/ablation_run.h"

#include <math.h>
#include <stdlib.h>

#include "stages/effects_prompts.h"
#include "stages/heads/ablation_curves.h"
#include "stages/heads/ablation_prompts.h"
#include "stages/heads/ablation_rows.h"
#include "stages/job_model.h"
#include "stats/interval.h"

struct ablation_job {
    struct job_ctx *ctx;
    struct model model;
    struct ablation_prompts prompts;
    struct basis_set mean; /* one row */
    struct head_maps maps;
    struct ablation_curves curves;
    struct head_ablation pass;
    struct causal_progress progress;
    size_t shares, passes;               /* passes: 1 without ablation, then those of every curve */
    size_t n;                            /* prompts asked so far */
    struct head_ablation_result *result; /* [passes, items] */
    double *one;                         /* [items] of a pass */
};

static void ablation_job_release(struct ablation_job *j) {
    free(j->one);
    free(j->result);
    head_ablation_destroy(&j->pass);
    ablation_curves_destroy(&j->curves);
    head_maps_release(&j->maps);
    basis_set_destroy(&j->mean);
    ablation_prompts_close(&j->prompts);
    model_close(&j->model);
}

static enum err_code report(void *context, double done, double total, struct err *err) {
    struct job_ctx *ctx = context;
    if (job_should_stop(ctx))
        return ERR(err, ERR_STOPPED, "stopped after %.0f of %.0f prompts", done, total);
    return job_progress(ctx, done, total, err);
}

/* ---- what is ablated, and with what */

static enum err_code read_maps(struct ablation_job *j, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct config_point *point = j->ctx->point;
    const struct rng stream = rng_stream(j->ctx->seed, "ablation/random");
    struct head_maps_options o = ablation_curves_maps(point);
    o.dims = &j->model.params.dims;
    o.stream = &stream;
    TRY(head_maps_read(&j->maps, j->ctx, &o, err));
    TRY(ablation_curves_create(&j->curves, &j->maps, config_float(point, "excluded"), err));
    j->shares = config_list_size(point, "shares");
    j->passes = 1 + j->curves.n * j->shares;
cleanup:
    return rc;
}

static enum err_code find_mean(struct ablation_job *j, struct err *err) {
    enum err_code rc = ERR_OK;
    struct causal_options *o = &j->prompts.mean;
    const struct model_dims *d = &j->model.params.dims;
    TRY(basis_set_create(&j->mean, d, basis_bit(BASIS_HEADS), 1, err));
    TRY(effects_prompts_draw(&o->prompts, j->prompts.mean_of, j->ctx->point, err));
    o->progress = &j->progress;
    TRY(causal_mean(&j->mean, &j->model.params, o, err));
cleanup:
    return rc;
}

static enum err_code create_pass(struct ablation_job *j, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct ablation_prompts *t = &j->prompts;
    struct head_ablation_options o = ablation_prompts_options(t);
    o.params = &j->model.params;
    o.mean = j->mean.part[BASIS_HEADS];
    TRY(head_ablation_create(&j->pass, &o, err));
    TRY(source_reserve(t->asked, t->chunk, t->points, err));
    j->result = calloc(j->passes * t->items, sizeof *j->result);
    j->one = calloc(t->items, sizeof *j->one);
    CHECK(j->result && j->one, ERR_MEMORY, "no memory for %zu passes over %zu prompts", j->passes,
          t->items);
cleanup:
    return rc;
}

static enum err_code ablation_job_open(struct ablation_job *j, struct job_ctx *ctx,
                                       struct err *err) {
    enum err_code rc = ERR_OK;
    *j = (struct ablation_job){.ctx = ctx, .progress = {.report = report, .context = ctx}};
    TRY(job_model_open(&j->model, ctx, err));
    TRY(read_maps(j, err));
    TRY(ablation_prompts_open(&j->prompts, ctx->point, ctx->seed, &j->model.params.dims, err));
    j->progress.total =
        (double)j->prompts.mean.prompts.n + (double)j->passes * (double)j->prompts.items;
    TRY(find_mean(j, err));
    TRY(create_pass(j, err));
cleanup:
    return rc;
}

/* ---- passes */

/* The heads of a pass after the first, and how many there are. */
static size_t heads_of(const uint32_t **heads, const struct ablation_job *j, size_t pass) {
    const struct ablation_curve *c = &j->curves.list[(pass - 1) / j->shares];
    const double share = config_list_float(j->ctx->point, "shares", (pass - 1) % j->shares);
    *heads = c->order;
    return ablation_curves_heads(c, share, j->curves.heads);
}

static enum err_code ablate_part(struct ablation_job *j, size_t first, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_view view = source_draw(j->prompts.asked, first, n);
    TRY(source_status(j->prompts.asked, err));
    if (view.n == 0) return rc;
    head_ablation_begin(&j->pass, &view);
    for (size_t pass = 0; pass < j->passes; pass++) {
        const uint32_t *heads = NULL;
        const size_t ablated = pass > 0 ? heads_of(&heads, j, pass) : 0;
        head_ablation_run(j->result + pass * j->prompts.items + j->n, &j->pass, heads, ablated);
        TRY(causal_advance(&j->progress, (double)n, err));
    }
    j->n += view.n;
cleanup:
    return rc;
}

static enum err_code ablate_all(struct ablation_job *j, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t items = j->prompts.items, chunk = j->prompts.chunk;
    for (size_t first = 0; first < items; first += chunk)
        TRY(ablate_part(j, first, items - first < chunk ? items - first : chunk, err));
cleanup:
    return rc;
}

/* ---- results */

enum measure { OF_LOSS, OF_FIRST, OF_WHOLE };

static struct interval interval_of(struct ablation_job *j, size_t pass, enum measure what) {
    const struct head_ablation_result *all = j->result + pass * j->prompts.items;
    for (size_t i = 0; i < j->n; i++)
        j->one[i] = (double)(what == OF_LOSS    ? all[i].loss
                             : what == OF_FIRST ? all[i].first_right
                                                : all[i].right);
    return interval_t(j->one, j->n, config_float(j->ctx->point, "confidence"));
}

static void name_heads(struct ablation_row *row, const struct ablation_job *j, size_t pass) {
    const uint32_t *heads;
    if (pass == 0) return;
    const struct ablation_curve *c = &j->curves.list[(pass - 1) / j->shares];
    row->ranking = HEAD_MAP_NAMES[c->by->kind];
    row->fit = c->by->fit;
    row->repeat = c->by->repeat;
    if (c->without) {
        row->excluded = HEAD_MAP_NAMES[c->without->kind];
        row->excluded_fit = c->without->fit;
        row->excluded_repeat = c->without->repeat;
    }
    row->share = config_list_float(j->ctx->point, "shares", (pass - 1) % j->shares);
    row->heads = (int64_t)heads_of(&heads, j, pass);
}

static enum err_code write_pass(struct ablation_job *j, size_t pass, struct err *err) {
    const struct interval loss = interval_of(j, pass, OF_LOSS);
    const struct interval first = interval_of(j, pass, OF_FIRST);
    struct ablation_row row = {
        .source = source_info(j->prompts.asked)->name,
        .k = (int64_t)j->prompts.points - 1,
        .items = (int64_t)j->n,
        .ranking = "none",
        .fit = "",
        .excluded = "none",
        .excluded_fit = "",
        .loss = loss.value,
        .loss_low = loss.low,
        .loss_high = loss.high,
        .first_accuracy = first.value,
        .first_low = first.low,
        .first_high = first.high,
        .accuracy = interval_of(j, pass, OF_WHOLE).value,
    };
    name_heads(&row, j, pass);
    if (!isfinite(row.loss))
        return ERR(err, ERR_NUMERIC, "the loss without %lld heads is not a finite number",
                   (long long)row.heads);
    return ablation_row_write(j->ctx, pass, &row, err);
}

enum err_code ablation_stage_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct ablation_job j;
    TRY(ablation_job_open(&j, ctx, err));
    TRY(ablate_all(&j, err));
    for (size_t pass = 0; pass < j.passes; pass++) TRY(write_pass(&j, pass, err));
cleanup:
    ablation_job_release(&j);
    return rc;
}

ROW_DEFINE(ablation_row, ABLATION_ROW);
