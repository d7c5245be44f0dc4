/*
 * importance - which heads matter to a task vector that weighs them: maps of weights, of what
 * learning changed, of leaving each head out, and of causal effects.
 *
 * A job reads a fit with one weight for each head. Its vector, made from the basis of each test
 * function, is applied with all weights and with each in turn set to 0; the causal map is that of
 * activations/causal_map.h on prompts of T0 points. run/tables/map_agreement.h compares the orders
 * of heads of these maps, and of one map under several fits.
 */
#include <stdio.h>

#include "passes/flops.h"
#include "sources/source_registry.h"
#include "stages/evaluate_run.h"
#include "stages/evaluated_functions.h"
#include "stages/importance_rows.h"
#include "stages/importance_run.h"
#include "stages/job_model.h"
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
    {
        .name = "prompts",
        .type = CONFIG_INT,
        .min = 2,
        .max = 1e7,
        .def = "256",
        .unit = "prompts",
        .meaning = "Number of prompts of the causal map.",
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
        .meaning = "Confidence level of the intervals over functions and prompts.",
    },
};

struct importance_case { /* a job as plan() knows it */
    struct job_model model;
    struct params shape; /* dims alone */
    struct method_setup setup;
    struct source *source;
    size_t points, functions, chunk, T0;
    enum context_precision contexts;
};

static enum err_code check_importance(const struct importance_case *c,
                                      const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &c->model.dims;
    TRY(evaluated_functions_check(point, c->source, "importance", d, 2, err));
    CHECK_CONFIG(importance_has_heads(c->setup.method), point, "of",
                 "%s does not learn a weight for each head: name a fit of ltv",
                 c->setup.method->name);
    TRY(shared_keys_check_points(point, "points", c->points, d, err));
    CHECK_CONFIG(c->T0 >= 3, point, "of",
                 "the fit's basis_points is %zu, and labels of fewer than 2 examples cannot be "
                 "shuffled: give the fit 3 or more",
                 c->T0);
    TRY(shared_keys_check_room(point, c->chunk, c->T0 > c->points ? c->T0 : c->points, d, err));
cleanup:
    return rc;
}

static enum err_code read_importance(struct importance_case *c, const struct config_point *point,
                                     const struct stage_parent *parents, size_t n,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const struct config_point *fit = job_model_fit(parents, n);
    TRY(job_model_plan(&c->model, point, parents, n, err));
    c->shape.dims = c->model.dims;
    method_setup_read(&c->setup, fit, &c->shape);
    c->points = importance_points(point, fit);
    c->functions = shared_keys_size(point, "functions");
    c->chunk = shared_keys_chunk(point, c->functions);
    c->contexts = shared_keys_contexts(point);
    TRY(source_open(&c->source, point, &(struct source_options){0}, err));
    TRY(evaluate_basis_points(&c->T0, point, fit, c->model.trained_points, err));
    TRY(check_importance(c, point, err));
cleanup:
    return rc;
}

static double importance_memory(const struct importance_case *c, const struct causal_options *o) {
    const struct model_dims *d = &c->model.dims;
    const struct head_leave_out_options left_out = {.setup = &c->setup,
                                                    .chunk = c->chunk,
                                                    .points = c->points,
                                                    .functions = c->functions,
                                                    .contexts = c->contexts};
    return (double)(c->model.bytes + head_leave_out_bytes(&left_out) + causal_mean_bytes(d, o) +
                    causal_map_bytes(d, o) + d->L * d->H * o->prompts.n * sizeof(float) +
                    source_bytes(c->source, c->chunk, c->points) +
                    source_bytes(c->source, c->chunk, c->T0) +
                    source_bytes(c->source, o->prompts.n, c->T0) +
                    basis_set_bytes(d, method_basis(&c->setup), c->chunk) +
                    method_collector_bytes(&c->setup, &(struct basis_size){.T0 = c->T0}, c->chunk,
                                           c->contexts));
}

/* Contexts of the prompts, the bases, and the causal map; a vector and a query for each head. */
static struct job_load importance_load(const struct importance_case *c,
                                       const struct causal_options *o) {
    const struct model_dims *d = &c->model.dims;
    const double n = (double)c->functions, heads = (double)(d->L * d->H),
                 seen = 2 * (double)(c->points - 1), basis = 2 * (double)(c->T0 - 1),
                 prompts = (double)o->prompts.n;
    struct job_load load = {0};
    flops_add_contexts(&load, d, n, seen);
    flops_add_contexts(&load, d, n + 2 * prompts, basis);
    flops_add_vectors(&load, d, n * (1 + heads));
    flops_add_queries(&load, d, n * (1 + heads), seen);
    flops_add_queries(&load, d, n + prompts * (2 + heads / 2), basis);
    flops_add_reading(&load, d, n * (1 + heads), seen, c->contexts);
    flops_add_reading(&load, d, n + prompts * (2 + (double)d->L / 2), basis, c->contexts);
    return load;
}

static enum err_code importance_plan(struct job_cost *cost, const struct config_point *point,
                                     const char *control, const struct stage_parent *parents,
                                     size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct importance_case c = {0};
    (void)control;
    TRY(read_importance(&c, point, parents, n, err));
    const size_t heads = c.model.dims.L * c.model.dims.H;
    const struct causal_options o = importance_causal(point, &c.model.dims, c.T0);
    *cost = (struct job_cost){.load = importance_load(&c, &o),
                              .group = 1,
                              .work = (double)((c.functions + o.prompts.n) * (1 + heads)),
                              .unit = "passes",
                              .mapped = (double)c.model.mapped};
    cost->memory = cost->memory_least = importance_memory(&c, &o);
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu heads x %zu functions x %zu points",
                   heads, c.functions, c.points);
cleanup:
    source_close(c.source);
    return rc;
}

ROW_DEFINE(importance_row, IMPORTANCE_ROW);

static const char *const PARENTS[] = {"fit", "choose", NULL};

extern const struct stage stage_importance;
const struct stage stage_importance = {
    .name = "importance",
    .meaning = "Map the heads of a fit by weights, by leaving each out, and by causal effects.",
    .version = 1,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS,
    .parents = PARENTS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &importance_row_columns,
    .plan = importance_plan,
    .run = importance_run,
};
