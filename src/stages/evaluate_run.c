#include "stages/evaluate_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passes/curve.h"
#include "passes/function_basis.h"
#include "sources/source_registry.h"
#include "stages/error_means.h"
#include "stages/evaluate_keep.h"
#include "stages/evaluate_rows.h"
#include "stages/evaluated_method.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

struct evaluation {
    struct job_ctx *ctx;
    struct evaluate_keys k;
    struct model model;
    struct context_share share;
    struct evaluated_method method;
    size_t T0;
    struct source *source; /* draws a chunk */
    struct curve curve;
    struct function_basis basis; /* of the same functions, with other covariates and no shift */
    struct evaluate_kept kept;
    float *errors, *predictions; /* [functions, points], [chunk, points] */
};

static void evaluation_release(struct evaluation *e) {
    free(e->predictions);
    free(e->errors);
    evaluate_kept_release(&e->kept);
    function_basis_destroy(&e->basis);
    source_close(e->source);
    curve_destroy(&e->curve);
    evaluated_method_close(&e->method);
    model_close(&e->model);
}

/* ---- the job */

/* Opened before the keys are read, because the shift determines how many points a prompt has. */
static enum err_code open_source(struct evaluation *e, struct err *err) {
    const struct source_options o = {
        .seed = e->ctx->seed, .split = EVALUATED_SPLIT, .shifted = true};
    const enum err_code rc = source_open(&e->source, e->ctx->point, &o, err);
    if (rc == ERR_OK) evaluate_keys_read(&e->k, e->ctx->point, e->source);
    return rc;
}

static enum err_code create_basis(struct evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fitted_method *fitted = &e->method.fitted;
    struct function_basis_options o = {
        .setup = &fitted->setup,
        .w = fitted->w,
        .control = e->method.control,
        .mean = fitted->has_mean ? &fitted->mean : NULL,
        .T0 = e->T0,
        .chunk = e->k.chunk,
        .functions = e->k.functions,
        .contexts = e->k.contexts,
        .share = job_model_share(&e->share, e->ctx, &e->model),
    };
    const struct source_options prompts = {
        .seed = e->ctx->seed, .split = EVALUATED_SPLIT, .covariates = "basis"};
    if (fitted->own_basis) TRY(source_open(&o.prompts, e->ctx->point, &prompts, err));
    TRY(function_basis_create(&e->basis, &o, err));
cleanup:
    return rc;
}

/* The number of points of the prompt itself when dummy pairs take some of the positions. */
static size_t shown(const struct evaluation *e, size_t points) {
    return points > e->k.dummies.n ? points - e->k.dummies.n : 1;
}

static enum err_code create_evaluate_arrays(struct evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct curve_options o = {
        .setup = &e->method.fitted.setup,
        .chunk = e->k.chunk,
        .points = e->k.points,
        .window_points = shown(e, e->T0),
        .trained_points = shown(e, e->model.trained_points),
        .contexts = e->k.contexts,
        .share = job_model_share(&e->share, e->ctx, &e->model),
        .dummies = &e->k.dummies,
        .control = e->method.control,
        .stream = evaluated_method_stream(&e->method, e->ctx->seed, source_info(e->source)->name)};
    struct evaluate_kept_sizes kept;
    e->errors = calloc(e->k.functions * e->k.points, sizeof *e->errors);
    e->predictions = calloc(e->k.chunk * e->k.points, sizeof *e->predictions);
    CHECK(e->errors && e->predictions, ERR_MEMORY, "no memory for the errors of %zu functions",
          e->k.functions);
    TRY(curve_create(&e->curve, &o, err));
    TRY(source_reserve(e->source, e->k.chunk, e->k.points, err));
    TRY(create_basis(e, err));
    evaluate_kept_read(&kept, e->ctx->point, e->source, e->k.functions, e->k.points,
                       e->method.fitted.own_basis ? e->T0 : 0);
    TRY(evaluate_kept_create(&e->kept, &kept, err));
cleanup:
    return rc;
}

static enum err_code evaluation_init(struct evaluation *e, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *e = (struct evaluation){.ctx = ctx};
    TRY(open_source(e, err));
    TRY(job_model_open(&e->model, ctx, err));
    TRY(evaluated_method_open(&e->method, ctx, &e->model.params, err));
    const struct job_input *fit = e->method.fit;
    TRY(evaluate_basis_points(&e->T0, ctx->point, fit ? fit->point : NULL, e->model.trained_points,
                              err));
    TRY(create_evaluate_arrays(e, err));
cleanup:
    if (rc != ERR_OK) evaluation_release(e);
    return rc;
}

/* Reports progress after every step, because a chunk of long windows can take minutes. */
static enum err_code predict(struct evaluation *e, const struct prompt_view *view,
                             const struct basis *basis, size_t first, struct err *err) {
    enum err_code rc = ERR_OK;
    double points = (double)e->k.points, total = (double)e->k.functions * points;
    curve_begin(&e->curve, view, basis, e->method.fitted.w, first);
    for (size_t k = 0; k < e->k.points;) {
        if (job_should_stop(e->ctx))
            return ERR(err, ERR_STOPPED, "stopped after %zu functions", first);
        k = curve_step(e->predictions, &e->curve, view, k);
        double done = (double)first * points + (double)(view->n * k);
        TRY(job_progress(e->ctx, done, total, err));
    }
cleanup:
    return rc;
}

static enum err_code evaluate_chunk(struct evaluation *e, size_t first, size_t n, struct err *err) {
    const struct prompt_loss *loss = &source_info(e->source)->loss;
    const struct prompt_view view = source_draw(e->source, first, n);
    struct prompt_view basis_prompts;
    const struct basis basis = function_basis_find(&e->basis, &basis_prompts, first, n);
    if (basis_prompts.n > 0) evaluate_kept_take_basis(&e->kept, first, &basis_prompts);
    const enum err_code rc = predict(e, &view, &basis, first, err);
    const float *wanted = prompt_view_targets(&view);
    for (size_t i = 0; rc == ERR_OK && i < n * e->k.points; i++)
        e->errors[first * e->k.points + i] = prompt_loss_error(loss, e->predictions[i], wanted[i]);
    if (rc == ERR_OK) evaluate_kept_take(&e->kept, first, &view, e->predictions);
    return rc;
}

static enum err_code evaluate_all(struct evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t first = 0; first < e->k.functions; first += e->k.chunk) {
        size_t left = e->k.functions - first;
        TRY(evaluate_chunk(e, first, left < e->k.chunk ? left : e->k.chunk, err));
    }
cleanup:
    return rc;
}

/* ---- results */

static enum err_code write_evaluate_row(struct evaluation *e, size_t k, const struct interval *mse,
                                        struct err *err) {
    const struct config_point *fit = e->method.fit ? e->method.fit->point : NULL;
    const struct source_info *source = source_info(e->source);
    const struct evaluate_row row = {
        .method = evaluated_method_name(&e->method),
        .reading = e->method.reading,
        .fit_points = evaluated_method_fit_points(&e->method),
        .repeat = evaluated_method_repeat(&e->method),
        .source = source->name,
        .shift = source->shift,
        .shift_level = source->shift_level,
        .dummies = DUMMIES_RULES[e->k.dummies.rule],
        .k = (int64_t)k,
        .functions = (int64_t)e->k.functions,
        .mse = mse->value,
        .mse_low = mse->low,
        .mse_high = mse->high,
        .mse_over_variance = mse->value / source->normaliser,
        .wpe_seed = (int64_t)job_model_wpe_seed(e->ctx->point, fit),
    };
    return evaluate_row_write(e->ctx, k, &row, err);
}

static enum err_code write_rows(struct evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    double *column = calloc(e->k.functions, sizeof *column);
    CHECK(column, ERR_MEMORY, "no memory for %zu errors", e->k.functions);
    for (size_t k = 0; k < e->k.points; k++) {
        struct interval mse;
        TRY(error_means_mean(&mse, e->errors, column, e->k.functions, e->k.points, k,
                             e->k.confidence, err));
        TRY(write_evaluate_row(e, k, &mse, err));
    }
cleanup:
    free(column);
    return rc;
}

enum err_code evaluate_run(struct job_ctx *ctx, struct err *err) {
    struct evaluation e;
    enum err_code rc = evaluation_init(&e, ctx, err);
    if (rc != ERR_OK) return rc;
    TRY(evaluate_all(&e, err));
    TRY(write_rows(&e, err));
    const struct job_tensor errors = {"errors", 2, {e.k.functions, e.k.points}, e.errors};
    TRY(job_tensor(ctx, &errors, err));
    TRY(evaluate_kept_write(&e.kept, ctx, err));
    TRY(job_note(ctx, "method", evaluated_method_name(&e.method), err));
cleanup:
    evaluation_release(&e);
    return rc;
}
