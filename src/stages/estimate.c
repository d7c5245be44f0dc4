/*
 * estimate - the error of a classical learner after every number of examples.
 *
 * Functions and prompts are those of `evaluate` with the same source, shift, seed and functions, so
 * that its rows stand beside those of models and vectors.  No model is needed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "estimators/estimator.h"
#include "sources/problems/prompts.h"
#include "sources/problems/shift.h"
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
    {
        .name = "confidence",
        .type = CONFIG_FLOAT,
        .min = 0.5,
        .max = 0.9999,
        .def = "0.95",
        .unit = "",
        .meaning = "Confidence level of the intervals over functions.",
    },
};

struct estimate {
    struct job_ctx *ctx;
    size_t points, functions, chunk; /* points: those that the shift leaves */
    struct estimator_setup setup;
    struct prompt_source source;
    struct prompts prompts; /* of a chunk */
    void *state;            /* of the estimator */
    float *predictions;     /* [points] */
    float *errors;          /* [functions, points] */
};

/* ---- sizes, from the keys alone */

static void read_sizes(struct estimate *e, const struct config_point *point) {
    problem_setup_read(&e->source.setup, point);
    shift_setup_read(&e->source.shift, point);
    const struct problem_setup *s = &e->source.setup;
    const struct shift_setup *shift = &e->source.shift;
    const double added = shift->shift->noise ? shift->level : 0;
    estimator_setup_read(&e->setup, point, hypot(s->noise, added) / s->scale);
    e->points = shift_points(shift, s->dims, shared_keys_size(point, "points"));
    e->functions = shared_keys_size(point, "functions");
    e->chunk = shared_keys_chunk(point, e->functions);
}

static double memory_needed(const struct estimate *e) {
    const double errors = ((double)e->functions + 1) * (double)e->points;
    return (double)prompts_bytes(&e->source, e->chunk, e->points) + errors * sizeof(float) +
           2 * (double)e->functions * sizeof(double) +
           (double)estimator_state(&e->setup, e->points, e->source.setup.dims);
}

/* Of one prompt. Where labels change with their number, what is carried over starts again. */
static double flops_of(const struct estimate *e) {
    const struct estimator *estimator = e->setup.estimator;
    const bool again = e->source.shift.shift->relabels && estimator->carries;
    double flops = 0;
    for (size_t k = 1; k < e->points; k++)
        flops += estimator->flops(&e->setup, k, e->source.setup.dims) *
                 (again ? (double)(e->points - k) : 1);
    return flops;
}

static enum err_code estimate_plan(struct job_cost *cost, const struct config_point *point,
                                   const struct stage_parent *parents, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct estimate e = {0};
    struct err why = {0};
    (void)parents, (void)n;
    read_sizes(&e, point);
    CHECK_CONFIG(estimator_check(e.setup.estimator, &why) == ERR_OK, point, "estimator", "%s",
                 why.msg);
    TRY(shift_check(&e.source.shift, &e.source.setup, point, err));
    const double flops = flops_of(&e);
    *cost = (struct job_cost){.flops = (double)e.functions * flops,
                              .memory = memory_needed(&e),
                              .group = 1,
                              .work = (double)e.functions * (double)e.points,
                              .unit = "predictions"};
    cost->memory_least = cost->memory;
    (void)snprintf(cost->summary, sizeof cost->summary, "%s, %zu functions x %zu points, shift %s",
                   e.setup.estimator->name, e.functions, e.points, shift_name(&e.source.shift));
cleanup:
    return rc;
}

/* ---- the job */

static void estimate_release(struct estimate *e) {
    free(e->errors);
    free(e->predictions);
    free(e->state);
    prompts_destroy(&e->prompts);
}

static enum err_code estimate_init(struct estimate *e, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *e = (struct estimate){.ctx = ctx, .source = {.seed = ctx->seed, .split = "test"}};
    read_sizes(e, ctx->point);
    const size_t bytes = estimator_state(&e->setup, e->points, e->source.setup.dims);
    TRY(estimator_check(e->setup.estimator, err));
    e->state = malloc(bytes + 1);
    e->predictions = calloc(e->points, sizeof *e->predictions);
    e->errors = calloc(e->functions * e->points, sizeof *e->errors);
    CHECK(e->state && e->predictions && e->errors, ERR_MEMORY,
          "no memory for the errors of %zu functions", e->functions);
    TRY(prompts_create_shifted(&e->prompts, &e->source, e->chunk, e->points, err));
cleanup:
    if (rc != ERR_OK) estimate_release(e);
    return rc;
}

/* Prompt i of the chunk, which is function number `sample`. */
static enum err_code estimate_one(struct estimate *e, size_t i, size_t sample, struct err *err) {
    const size_t P = e->points, D = e->prompts.dims;
    const struct prompts *all = &e->prompts;
    const float *wanted = prompts_targets(all) + i * P;
    const struct estimator_prompt p = {.points = P,
                                       .dims = D,
                                       .x = all->x + i * P * D,
                                       .y = all->y + i * P,
                                       .labels = all->shown_y ? all->shown_y + i * P * P : NULL,
                                       .query = prompts_query(all, i, 0),
                                       .seed = e->ctx->seed,
                                       .sample = sample};
    const enum err_code rc = estimator_curve(e->predictions, &e->setup, &p, e->state, err);
    for (size_t k = 0; rc == ERR_OK && k < P; k++)
        e->errors[sample * P + k] =
            error_means_one(e->source.setup.problem->loss, e->predictions[k], wanted[k]);
    return rc;
}

static enum err_code estimate_chunk(struct estimate *e, size_t first, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t left = e->functions - first, n = left < e->chunk ? left : e->chunk;
    e->prompts.n = n;
    prompts_draw(&e->prompts, &e->source, first, e->source.setup.dims);
    for (size_t i = 0; i < n; i++) {
        if (job_should_stop(e->ctx))
            return ERR(err, ERR_STOPPED, "stopped after %zu functions", first + i);
        TRY(estimate_one(e, i, first + i, err));
        TRY(job_progress(e->ctx, (double)(first + i + 1), (double)e->functions, err));
    }
cleanup:
    return rc;
}

/* ---- results */

/* The estimator's own keys: "alpha=0.01 stop=gap". */
static void describe(struct text *out, const struct estimator *e,
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

static enum err_code write_row(struct estimate *e, size_t k, const struct interval *mse,
                               const char *reading, struct err *err) {
    const struct estimate_row row = {
        .method = e->setup.estimator->name,
        .reading = reading,
        .source = e->source.setup.problem->name,
        .shift = shift_name(&e->source.shift),
        .shift_level = e->source.shift.level,
        .k = (int64_t)k,
        .functions = (int64_t)e->functions,
        .mse = mse->value,
        .mse_low = mse->low,
        .mse_high = mse->high,
        .mse_over_variance = mse->value / problem_variance(&e->source.setup),
    };
    return estimate_row_write(e->ctx, k, &row, err);
}

static enum err_code write_results(struct estimate *e, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text reading = {0};
    const double confidence = config_float(e->ctx->point, "confidence");
    double *column = calloc(e->functions, sizeof *column);
    CHECK(column, ERR_MEMORY, "no memory for %zu errors", e->functions);
    describe(&reading, e->setup.estimator, e->ctx->point);
    TRY(text_check(&reading, err));
    for (size_t k = 0; k < e->points; k++) {
        struct interval mse;
        TRY(error_means_mean(&mse, e->errors, column, e->functions, e->points, k, confidence, err));
        TRY(write_row(e, k, &mse, text_str(&reading), err));
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
    TRY(write_results(&e, err));
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
