/*
 * probe - the information test: can the parameters of a function be read from its task vector?
 *
 * Ridge regression (measures/ridge_probe.h) predicts the parameters of test functions from the
 * values that a method adds or puts in for them, made from a basis prompt of T0 points each. The
 * control `mismatched` has the vectors of other functions, so that nothing can be read; `plain` has
 * no vector, and its states at a query after T0 - 1 examples are read instead, which says what the
 * model itself holds there in linear form.
 */
#include <stdio.h>

#include "measures/ridge_probe.h"
#include "passes/flops.h"
#include "passes/query_states.h"
#include "passes/vector_features.h"
#include "sources/source_registry.h"
#include "stages/evaluate_run.h"
#include "stages/fitted_method.h"
#include "stages/job_model.h"
#include "stages/measures/evaluated_functions.h"
#include "stages/measures/probe_rows.h"
#include "stages/measures/probe_run.h"
#include "stages/shared_keys.h"

static const char *const KEPT[] = {"features", NULL};
static const char *const CONTROLS[] = {"plain", "mismatched", "random", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "also",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST | CONFIG_SILENT | CONFIG_OPTIONAL,
        .choices = CONTROLS,
        .unit = "",
        .meaning = "What else is read: states of the plain model, vectors of other functions, "
                   "random vectors.",
    },
    {
        .name = "functions",
        .type = CONFIG_INT,
        .min = PROBE_LEAST,
        .max = 1e7,
        .def = "1024",
        .unit = "",
        .meaning = "Number of functions: three fifths to fit, one to choose the penalty, one to "
                   "test.",
    },
    SHARED_KEY_CHUNK("Number of prompts whose contexts are in memory at a time."),
    SHARED_KEY_BASIS_POINTS(
        "Points T0 of the prompts of plain; 0 means the model's trained length."),
    SHARED_KEY_CONFIDENCE("Confidence level of the intervals over functions."),
    {
        .name = "keep",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST,
        .def = "[]",
        .choices = KEPT,
        .unit = "",
        .meaning = "What the artifact keeps besides predictions: all numbers that are read.",
    },
};

/* ---- plan */

struct probe_case {
    size_t functions, chunk, T0, targets;
    enum context_precision contexts;
    struct method_setup setup;
};

static struct ridge_probe_data largest_regression(const struct probe_case *c,
                                                  const struct model_dims *d) {
    const size_t n = c->functions;
    return (struct ridge_probe_data){.train = probe_train(n),
                                     .validation = probe_held_out(n),
                                     .test = probe_held_out(n),
                                     .features = d->L * d->E,
                                     .targets = c->targets};
}

static double probe_memory(const struct probe_case *c, const struct source *source,
                           const struct job_model *model) {
    const struct model_dims *d = &model->dims;
    const struct ridge_probe_data data = largest_regression(c, d);
    const struct curve_options curve = {.setup = &c->setup,
                                        .chunk = c->chunk,
                                        .points = c->T0,
                                        .window_points = c->T0,
                                        .contexts = c->contexts};
    const struct vector_features_options vectors = {
        .setup = &c->setup, .chunk = c->chunk, .functions = c->functions};
    const size_t numbers = c->functions * (data.features + 2 * c->targets);
    return (double)(model->bytes + ridge_probe_bytes(&data) + numbers * sizeof(double) +
                    source_bytes(source, c->chunk, c->T0) +
                    query_states_bytes(d, &curve, 1, c->functions) +
                    vector_features_bytes(&vectors) +
                    function_basis_bytes(&c->setup, source, c->T0, c->chunk, c->contexts));
}

/* A basis prompt for each function; products and eigenvectors of the regressions. */
static struct job_load probe_load(const struct probe_case *c, const struct model_dims *d) {
    const double n = (double)c->functions, seen = 2 * (double)c->T0, E = (double)d->E,
                 L = (double)d->L, all = L * E, rows = (double)probe_train(c->functions),
                 rank = all < rows ? all : rows;
    struct job_load load = {0};
    flops_add_contexts(&load, d, n, seen);
    flops_add_queries(&load, d, n, seen);
    flops_add_vectors(&load, d, n);
    load.estimates = 2 * n * E * E * L + 10 * E * E * E * L + 2 * n * all * rank +
                     10 * rank * rank * rank +
                     RIDGE_PROBE_PENALTIES * 4 * n * all * (double)c->targets;
    return load;
}

static enum err_code check_probe(const struct probe_case *c, const struct source *source,
                                 const struct config_point *point, const struct model_dims *d,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(evaluated_functions_check(point, source, "probe", d, PROBE_LEAST, err));
    CHECK_CONFIG(c->T0 >= 2, point, "basis_points",
                 "prompts of %zu point show no example of their function: give 2 or more", c->T0);
    TRY(shared_keys_check_points(point, "basis_points", c->T0, d, err));
    TRY(shared_keys_check_room(point, c->chunk, c->T0, d, err));
cleanup:
    return rc;
}

static enum err_code probe_plan(struct job_cost *cost, const struct config_point *point,
                                const char *control, const struct stage_parent *parents, size_t n,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    struct source *source = NULL;
    const struct config_point *fit = job_model_fit(parents, n);
    struct probe_case c = {.functions = shared_keys_size(point, "functions"),
                           .contexts = shared_keys_contexts(point)};
    (void)control;
    c.chunk = shared_keys_chunk(point, c.functions);
    TRY(job_model_plan(&model, point, parents, n, err));
    const struct params shape = {.dims = model.dims};
    TRY(source_open(&source, point, &(struct source_options){0}, err));
    TRY(evaluate_basis_points(&c.T0, point, fit, model.trained_points, err));
    TRY(check_probe(&c, source, point, &model.dims, err));
    c.targets = source_info(source)->functions->parameters;
    fitted_method_planned(&c.setup, fit, NULL, &shape);
    *cost = (struct job_cost){.load = probe_load(&c, &model.dims),
                              .group = 1,
                              .work = 2 * (double)c.functions,
                              .unit = "functions",
                              .mapped = (double)model.mapped};
    cost->memory = cost->memory_least = probe_memory(&c, source, &model);
    (void)snprintf(cost->summary, sizeof cost->summary,
                   "%zu functions x %zu points, %zu parameters", c.functions, c.T0, c.targets);
cleanup:
    source_close(source);
    return rc;
}

ROW_DEFINE(probe_row, PROBE_ROW);

static const char *const PARENTS[] = {"fit", "choose", "pretrain", NULL};

extern const struct stage stage_probe;
const struct stage stage_probe = {
    .name = "probe",
    .meaning = "Predict the parameters of functions from their task vectors by ridge regression.",
    .version = 1,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS,
    .parents = PARENTS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &probe_row_columns,
    .zero_is_none = "fit_points",
    .plan = probe_plan,
    .run = probe_run,
};
