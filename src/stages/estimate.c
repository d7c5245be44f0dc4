/*
 * estimate - measures the error of a classical learner after every number of examples.
 *
 * Functions and prompts are those of `evaluate` with the same source, shift, seed and functions, so
 * the rows of both can be compared. No model is needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "estimators/estimator.h"
#include "sources/source_registry.h"
#include "stages/error_means.h"
#include "stages/estimate_rows.h"
#include "stages/shared_keys.h"

static const struct config_key KEYS[] = {
    {
        .name = "points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e6,
        .unit = "points",
        .meaning = "Points per test prompt: errors after 0 to points - 1 examples.",
    },
    {
        .name = "functions",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e7,
        .def = "512",
        .unit = "",
        .meaning = "Number of test functions, with one prompt each.",
    },
    {
        .name = "chunk",
        .type = CONFIG_INT,
        .min = 1,
        .max = 1e5,
        .def = "128",
        .unit = "prompts",
        .meaning = "Number of prompts that are drawn together.",
    },
    SHARED_KEY_CONFIDENCE("Confidence level of the intervals over functions."),
};

struct estimate {
    struct job_ctx *ctx;
    size_t points, functions, chunk; /* points: at most as many as the shift allows */
    struct estimator_setup setup;
    struct source *source; /* draws a chunk */
    size_t dims;           /* of x */
    void *state;           /* of the estimator */
    float *predictions;    /* [points] */
    float *errors;         /* [functions, points] */
};

/* ---- sizes, from the keys alone */

static enum err_code read_sizes(struct estimate *e, const struct config_point *point, uint64_t seed,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = seed, .split = "test", .shifted = true};
    TRY(source_open(&e->source, point, &o, err));
    TRY(source_check_functions(e->source, point, "estimate", err));
    const struct source_functions *of = source_info(e->source)->functions;
    e->dims = of->dims;
    estimator_setup_read(&e->setup, point, of->noise);
    e->points = source_points(e->source, shared_keys_size(point, "points"));
    e->functions = shared_keys_size(point, "functions");
    e->chunk = shared_keys_chunk(point, e->functions);
cleanup:
    return rc;
}

static double memory_needed(const struct estimate *e) {
    const double errors = ((double)e->functions + 1) * (double)e->points;
    return (double)source_bytes(e->source, e->chunk, e->points) + errors * sizeof(float) +
           2 * (double)e->functions * sizeof(double) +
           (double)estimator_state(&e->setup, e->points, e->dims);
}

/* Arithmetic of one prompt. If a shift changes the labels with their number, an estimator that
 * carries its state from k to k + 1 starts again for every k. */
static double flops_of(const struct estimate *e) {
    const struct estimator *estimator = e->setup.estimator;
    const bool again = source_info(e->source)->relabels && estimator->carries;
    double flops = 0;
    for (size_t k = 1; k < e->points; k++)
        flops += estimator->flops(&e->setup, k, e->dims) * (again ? (double)(e->points - k) : 1);
    return flops;
}

static enum err_code estimate_plan(struct job_cost *cost, const struct config_point *point,
                                   const char *control, const struct stage_parent *parents,
                                   size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct estimate e = {0};
    struct err why = {0};
    (void)control, (void)parents, (void)n;
    TRY(read_sizes(&e, point, 0, err));
    CHECK_CONFIG(estimator_check(e.setup.estimator, &why) == ERR_OK, point, "estimator", "%s",
                 why.msg);
    TRY(source_check(e.source, point, e.dims, err));
    const double flops = flops_of(&e);
    *cost = (struct job_cost){.load.estimates = (double)e.functions * flops,
                              .memory = memory_needed(&e),
                              .group = 1,
                              .work = (double)e.functions * (double)e.points,
                              .unit = "predictions"};
    cost->memory_least = cost->memory;
    (void)snprintf(cost->summary, sizeof cost->summary,
                   "%s, %zu function%s x %zu point%s, shift %s", e.setup.estimator->name,
                   e.functions, text_plural(e.functions), e.points, text_plural(e.points),
                   source_info(e.source)->shift);
cleanup:
    source_close(e.source);
    return rc;
}

/* ---- the job */

static void estimate_release(struct estimate *e) {
    free(e->errors);
    free(e->predictions);
    free(e->state);
    source_close(e->source);
}

static enum err_code estimate_init(struct estimate *e, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *e = (struct estimate){.ctx = ctx};
    TRY(read_sizes(e, ctx->point, ctx->seed, err));
    const size_t bytes = estimator_state(&e->setup, e->points, e->dims);
    TRY(estimator_check(e->setup.estimator, err));
    e->state = malloc(bytes + 1);
    e->predictions = calloc(e->points, sizeof *e->predictions);
    e->errors = calloc(e->functions * e->points, sizeof *e->errors);
    CHECK(e->state && e->predictions && e->errors, ERR_MEMORY,
          "no memory for the errors of %zu functions", e->functions);
    TRY(source_reserve(e->source, e->chunk, e->points, err));
cleanup:
    if (rc != ERR_OK) estimate_release(e);
    return rc;
}

/* Prompt i of a chunk, which is function number `sample`. */
static enum err_code estimate_one(struct estimate *e, const struct prompt_view *prompts, size_t i,
                                  size_t sample, struct err *err) {
    const size_t P = prompts->points;
    const struct prompt_loss *loss = &source_info(e->source)->loss;
    const float *wanted = prompt_view_targets(prompts) + i * P;
    const struct estimator_prompt p = {.points = P,
                                       .dims = prompts->dims,
                                       .x = prompt_view_x(prompts, i, 0),
                                       .y = prompts->y + i * P,
                                       .labels =
                                           prompts->shown_y ? prompts->shown_y + i * P * P : NULL,
                                       .query = prompt_view_query(prompts, i, 0),
                                       .seed = e->ctx->seed,
                                       .sample = sample};
    const enum err_code rc = estimator_curve(e->predictions, &e->setup, &p, e->state, err);
    for (size_t k = 0; rc == ERR_OK && k < P; k++)
        e->errors[sample * P + k] = prompt_loss_error(loss, e->predictions[k], wanted[k]);
    return rc;
}

static enum err_code estimate_chunk(struct estimate *e, size_t first, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t left = e->functions - first, n = left < e->chunk ? left : e->chunk;
    const struct prompt_view prompts = source_draw(e->source, first, n);
    for (size_t i = 0; i < n; i++) {
        if (job_should_stop(e->ctx))
            return ERR(err, ERR_STOPPED, "stopped after %zu functions", first + i);
        TRY(estimate_one(e, &prompts, i, first + i, err));
        TRY(job_progress(e->ctx, (double)(first + i + 1), (double)e->functions, err));
    }
cleanup:
    return rc;
}

/* ---- results */

/* The estimator's own keys: "alpha=0.01 stop=gap". */
static void describe_estimator(struct text *out, const struct estimator *e,
                               const struct config_point *point) {
    for (size_t i = 0; i < config_point_size(point); i++) {
        const struct config_key *key = config_point_key(point, i);
        const size_t length = strlen(e->name);
        if (strncmp(key->name, e->name, length) != 0 || key->name[length] != '.') continue;
        text_add(out, "%s%s=", out->size ? " " : "", key->name + length + 1);
        if (key->type == CONFIG_NAME)
            text_add(out, "%s", config_text(point, key->name));
        else
            config_point_value(out, point, i);
    }
}

static enum err_code write_estimate_row(struct estimate *e, size_t k, const struct interval *mse,
                                        const char *reading, struct err *err) {
    const struct source_info *source = source_info(e->source);
    const struct estimate_row row = {
        .method = e->setup.estimator->name,
        .reading = reading,
        .source = source->name,
        .shift = source->shift,
        .shift_level = source->shift_level,
        .k = (int64_t)k,
        .functions = (int64_t)e->functions,
        .mse = mse->value,
        .mse_low = mse->low,
        .mse_high = mse->high,
        .mse_over_variance = mse->value / source->normaliser,
    };
    return estimate_row_write(e->ctx, k, &row, err);
}

static enum err_code write_estimate_results(struct estimate *e, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text reading = {0};
    const double confidence = config_float(e->ctx->point, "confidence");
    double *column = calloc(e->functions, sizeof *column);
    CHECK(column, ERR_MEMORY, "no memory for %zu errors", e->functions);
    describe_estimator(&reading, e->setup.estimator, e->ctx->point);
    TRY(text_check(&reading, err));
    for (size_t k = 0; k < e->points; k++) {
        struct interval mse;
        TRY(error_means_mean(&mse, e->errors, column, e->functions, e->points, k, confidence, err));
        TRY(write_estimate_row(e, k, &mse, text_str(&reading), err));
    }
    const struct job_tensor errors = {"errors", 2, {e->functions, e->points}, e->errors};
    TRY(job_tensor(e->ctx, &errors, err));
    TRY(job_note(e->ctx, "estimator", e->setup.estimator->name, err));
cleanup:
    free(column);
    text_release(&reading);
    return rc;
}

static enum err_code estimate_run(struct job_ctx *ctx, struct err *err) {
    struct estimate e;
    enum err_code rc = estimate_init(&e, ctx, err);
    if (rc != ERR_OK) return rc;
    for (size_t first = 0; first < e.functions; first += e.chunk)
        TRY(estimate_chunk(&e, first, err));
    TRY(write_estimate_results(&e, err));
cleanup:
    estimate_release(&e);
    return rc;
}

ROW_DEFINE(estimate_row, ESTIMATE_ROW);

static const char *const PARENTS[] = {NULL};

extern const struct stage stage_estimate;
const struct stage stage_estimate = {
    .name = "estimate",
    .meaning = "Measure the error of classical learners after every number of examples.",
    .version = 2,
    .uses = STAGE_USES_SOURCE | STAGE_USES_SHIFT | STAGE_USES_ESTIMATORS,
    .parents = PARENTS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &estimate_row_columns,
    .plan = estimate_plan,
    .run = estimate_run,
};
