/*
 * leave_one_out - what the error of a fit becomes without the weight of each head.
 *
 * A job reads a fit whose weights scale heads. Its vector, made from the basis of each test
 * function, is applied with all weights and with each in turn set to 0 (passes/head_leave_out.h).
 * `agreement` compares the order of heads that it gives with the orders of other maps.
 */
#include <stdio.h>

#include "passes/flops.h"
#include "passes/head_leave_out.h"
#include "sources/source_registry.h"
#include "stages/evaluate_run.h"
#include "stages/job_model.h"
#include "stages/measures/evaluated_functions.h"
#include "stages/measures/leave_one_out_rows.h"
#include "stages/measures/leave_one_out_run.h"
#include "stages/shared_keys.h"

static const struct config_key KEYS[] = {
    {
        .name = "points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e6,
        .def = "0",
        .unit = "points",
        .meaning = "Points per test prompt, whose last x is asked; 0 means those of the fit.",
    },
    {
        .name = "functions",
        .type = CONFIG_INT,
        .min = 2,
        .max = 1e7,
        .def = "256",
        .unit = "",
        .meaning = "Number of test functions on which heads are left out.",
    },
    SHARED_KEY_CHUNK("Number of prompts that pass through the model together."),
    SHARED_KEY_CONFIDENCE("Confidence level of the intervals over functions."),
};

struct leave_one_out_case { /* a job as plan() knows it */
    struct job_model model;
    struct params shape; /* dims alone */
    struct method_setup setup;
    struct source *source;
    size_t points, functions, chunk, T0;
    enum context_precision contexts;
};

/* A weight of 0 takes a head out of the vector; gates of mixtures (site) do otherwise. */
static bool scales_heads(const struct method *m) {
    return m && m->application.gradient && m->derivation.weights_shape == method_shape_heads;
}

static bool leave_one_out_takes(const struct config_point *point, const struct config_point *job) {
    (void)point;
    return config_has(job, "method") && scales_heads(method_find(config_text(job, "method")));
}

static enum err_code check_leave_one_out(const struct leave_one_out_case *c,
                                         const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &c->model.dims;
    TRY(evaluated_functions_check(point, c->source, "leave_one_out", d, 2, err));
    TRY(shared_keys_check_points(point, "points", c->points, d, err));
    TRY(shared_keys_check_room(point, c->chunk, c->T0 > c->points ? c->T0 : c->points, d, err));
cleanup:
    return rc;
}

static enum err_code read_leave_one_out(struct leave_one_out_case *c,
                                        const struct config_point *point,
                                        const struct stage_parent *parents, size_t n,
                                        struct err *err) {
    enum err_code rc = ERR_OK;
    const struct config_point *fit = job_model_fit(parents, n);
    TRY(job_model_plan(&c->model, point, parents, n, err));
    c->shape.dims = c->model.dims;
    method_setup_read(&c->setup, fit, &c->shape);
    c->points = leave_one_out_points(point, fit);
    c->functions = shared_keys_size(point, "functions");
    c->chunk = shared_keys_chunk(point, c->functions);
    c->contexts = shared_keys_contexts(point);
    TRY(source_open(&c->source, point, &(struct source_options){0}, err));
    TRY(evaluate_basis_points(&c->T0, point, fit, c->model.trained_points, err));
    TRY(check_leave_one_out(c, point, err));
cleanup:
    return rc;
}

static double leave_one_out_memory(const struct leave_one_out_case *c) {
    const struct model_dims *d = &c->model.dims;
    const struct head_leave_out_options pass = {.setup = &c->setup,
                                                .chunk = c->chunk,
                                                .points = c->points,
                                                .functions = c->functions,
                                                .contexts = c->contexts};
    return (double)(c->model.bytes + head_leave_out_bytes(&pass) +
                    d->L * d->H * c->functions * sizeof(float) +
                    source_bytes(c->source, c->chunk, c->points) +
                    function_basis_bytes(&c->setup, c->source, c->T0, c->chunk, c->contexts));
}

/* Contexts of the prompts and the bases; a vector and a query for each head. */
static struct job_load leave_one_out_load(const struct leave_one_out_case *c) {
    const struct model_dims *d = &c->model.dims;
    const double n = (double)c->functions, passes = n * (double)(1 + d->L * d->H),
                 seen = 2 * (double)(c->points - 1), basis = 2 * (double)(c->T0 - 1);
    struct job_load load = {0};
    flops_add_contexts(&load, d, n, seen);
    flops_add_contexts(&load, d, n, basis);
    flops_add_vectors(&load, d, passes);
    flops_add_queries(&load, d, passes, seen);
    flops_add_queries(&load, d, n, basis);
    flops_add_reading(&load, d, passes, seen, c->contexts);
    return load;
}

static enum err_code leave_one_out_plan(struct job_cost *cost, const struct config_point *point,
                                        const char *control, const struct stage_parent *parents,
                                        size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct leave_one_out_case c = {0};
    (void)control;
    TRY(read_leave_one_out(&c, point, parents, n, err));
    const size_t heads = c.model.dims.L * c.model.dims.H;
    *cost = (struct job_cost){.load = leave_one_out_load(&c),
                              .group = 1,
                              .work = (double)c.functions,
                              .unit = "functions",
                              .mapped = (double)c.model.mapped};
    cost->memory = cost->memory_least = leave_one_out_memory(&c);
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu heads x %zu functions x %zu points",
                   heads, c.functions, c.points);
cleanup:
    source_close(c.source);
    return rc;
}

ROW_DEFINE(leave_one_out_row, LEAVE_ONE_OUT_ROW);

static const char *const PARENTS[] = {"fit", "choose", NULL};

extern const struct stage stage_leave_one_out;
const struct stage stage_leave_one_out = {
    .name = "leave_one_out",
    .meaning = "The error of a fit without each of its heads in turn.",
    .version = 1,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS,
    .parents = PARENTS,
    .takes = leave_one_out_takes,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &leave_one_out_row_columns,
    .plan = leave_one_out_plan,
    .run = leave_one_out_run,
};
