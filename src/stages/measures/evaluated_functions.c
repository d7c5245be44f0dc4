#include "stages/measures/evaluated_functions.h"

#include "sources/source_registry.h"
#include "stages/evaluate_run.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

static enum err_code open_basis(struct evaluated_functions *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fitted_method *fitted = &f->method.fitted;
    struct function_basis_options o = {
        .setup = &fitted->setup,
        .w = fitted->w,
        .control = f->method.control,
        .mean = fitted->has_mean ? &fitted->mean : NULL,
        .T0 = f->T0,
        .chunk = f->chunk,
        .functions = f->functions,
        .contexts = f->contexts,
        .share = job_model_share(&f->share, f->ctx, &f->model),
    };
    const struct source_options prompts = {
        .seed = f->ctx->seed, .split = EVALUATED_SPLIT, .covariates = "basis"};
    if (fitted->own_basis) TRY(source_open(&o.prompts, f->ctx->point, &prompts, err));
    TRY(function_basis_create(&f->basis, &o, err));
cleanup:
    return rc;
}

static enum err_code open_method(struct evaluated_functions *f, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(evaluated_method_open(&f->method, f->ctx, &f->model.params, err));
    const struct job_input *fit = f->method.fit;
    TRY(evaluate_basis_points(&f->T0, f->ctx->point, fit ? fit->point : NULL, f->trained_points,
                              err));
cleanup:
    return rc;
}

enum err_code evaluated_functions_open(struct evaluated_functions *f, struct job_ctx *ctx,
                                       size_t points, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {
        .seed = ctx->seed, .split = EVALUATED_SPLIT, .shifted = config_has(ctx->point, "shift")};
    *f = (struct evaluated_functions){.ctx = ctx,
                                      .functions = shared_keys_size(ctx->point, "functions"),
                                      .contexts = shared_keys_contexts(ctx->point)};
    f->chunk = shared_keys_chunk(ctx->point, f->functions);
    TRY(job_model_open(&f->model, ctx, err));
    f->trained_points = f->model.trained_points;
    TRY(open_method(f, err));
    TRY(source_open(&f->source, ctx->point, &o, err));
    TRY(source_reserve(f->source, f->chunk, points > 0 ? points : f->T0, err));
    TRY(open_basis(f, err));
cleanup:
    if (rc != ERR_OK) evaluated_functions_close(f);
    return rc;
}

void evaluated_functions_close(struct evaluated_functions *f) {
    function_basis_destroy(&f->basis);
    source_close(f->source);
    evaluated_method_close(&f->method);
    model_close(&f->model);
    *f = (struct evaluated_functions){0};
}

enum err_code evaluated_functions_check(const struct config_point *point,
                                        const struct source *source, const char *stage,
                                        const struct model_dims *dims, size_t least,
                                        struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t functions = shared_keys_size(point, "functions");
    TRY(source_check_functions(source, point, stage, err));
    TRY(source_check(source, point, dims->inputs, err));
    CHECK_CONFIG(functions >= least, point, "functions",
                 "%zu are too few for what %s measures: give %zu or more", functions, stage, least);
cleanup:
    return rc;
}

enum err_code evaluated_functions_next(size_t *n, const struct evaluated_functions *f, size_t first,
                                       struct err *err) {
    const size_t left = f->functions - first;
    *n = left < f->chunk ? left : f->chunk;
    if (job_should_stop(f->ctx)) return ERR(err, ERR_STOPPED, "stopped after %zu functions", first);
    return ERR_OK;
}
