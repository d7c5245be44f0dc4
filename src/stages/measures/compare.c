/*
 * compare - how a method changes the states of the model at the query: where they are beyond the
 * trained range, and whether a vector brings them back to where they are in it.
 *
 * The published ablation (docs/methods.md) looked at states after the last block under the plain
 * model in its trained range, beyond it, and under a vector there. Here each job compares the
 * states of one method after k examples with those of the plain model after `reference` examples
 * and after k, of the same test functions and the same queries (passes/query_states.h), at each
 * layer, by the measures of measures/alignment.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "measures/alignment.h"
#include "passes/flops.h"
#include "sources/source_registry.h"
#include "stages/evaluate_run.h"
#include "stages/fitted_method.h"
#include "stages/job_model.h"
#include "stages/measures/compare_rows.h"
#include "stages/measures/compare_run.h"
#include "stages/measures/evaluated_functions.h"
#include "stages/shared_keys.h"

static const char *const KEPT[] = {"states", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "also",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST | CONFIG_SILENT | CONFIG_OPTIONAL,
        .choices = METHOD_CONTROLS,
        .unit = "",
        .meaning = "Controls to compare: one job per model, or per fit for controls of a fit.",
    },
    {
        .name = "k",
        .type = CONFIG_INT,
        .flags = CONFIG_LIST,
        .max = 1e6,
        .unit = "examples",
        .meaning = "Numbers of examples after which the states under the method are compared.",
    },
    {
        .name = "reference",
        .type = CONFIG_INT,
        .max = 1e6,
        .def = "0",
        .unit = "examples",
        .meaning = "Examples that the plain model has seen in its trained range; 0 means the "
                   "model's trained points less 1.",
    },
    {
        .name = "functions",
        .type = CONFIG_INT,
        .min = 2,
        .max = 1e7,
        .def = "512",
        .unit = "",
        .meaning = "Number of test functions, with one query each.",
    },
    SHARED_KEY_CHUNK("Number of prompts whose contexts are in memory at a time."),
    SHARED_KEY_BASIS_POINTS(
        "Window length T0 of the controls; 0 means the model's trained length."),
    {
        .name = "axes",
        .type = CONFIG_INT,
        .min = 1,
        .max = 4096,
        .def = "16",
        .unit = "",
        .meaning = "Principal axes whose spaces are compared, at most the width of the model.",
    },
    SHARED_KEY_CONFIDENCE("Confidence level of the intervals over functions."),
    {
        .name = "keep",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST,
        .def = "[]",
        .choices = KEPT,
        .unit = "",
        .meaning = "What the artifact keeps besides leading vectors and angles: all states.",
    },
};

/* ---- plan */

struct compare_case { /* a job as plan() knows it */
    struct compare_keys keys;
    struct job_model model;
    struct params shape; /* dims alone */
    struct method_setup setup;
    struct source *source;
    size_t functions, chunk, T0;
    bool own_basis;
    enum context_precision contexts;
};

static enum err_code check_k(const struct compare_case *c, const struct config_point *point,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t given = config_list_size(point, "k"), points = c->keys.points;
    CHECK_CONFIG(given > 0, point, "k", "is empty: give numbers of examples, such as [20, 40]");
    CHECK_CONFIG(given < QUERY_STATES_MOST, point, "k", "has %zu values: give at most %d", given,
                 QUERY_STATES_MOST - 1);
    CHECK_CONFIG(c->keys.k[0] > 0 || c->model.trained_points == 1, point, "reference",
                 "0 means the model's trained points less 1, which the metadata of its file does "
                 "not give: set reference");
    CHECK_CONFIG(source_points(c->source, points) == points, point, "k",
                 "the shift %s has prompts of at most %zu points: lower k and reference below "
                 "that",
                 source_info(c->source)->shift, source_points(c->source, points));
    TRY(shared_keys_check_points(point, "k", points, &c->model.dims, err));
    TRY(shared_keys_check_points(point, "basis_points", c->T0, &c->model.dims, err));
    TRY(shared_keys_check_room(point, c->chunk, c->T0 > points ? c->T0 : points, &c->model.dims,
                               err));
cleanup:
    return rc;
}

static enum err_code read_case(struct compare_case *c, const struct config_point *point,
                               const char *control, const struct stage_parent *parents, size_t n,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const struct config_point *fit = job_model_fit(parents, n);
    TRY(job_model_plan(&c->model, point, parents, n, err));
    TRY(source_open(&c->source, point, &(struct source_options){.shifted = true}, err));
    TRY(evaluated_functions_check(point, c->source, "compare", &c->model.dims, 2, err));
    c->functions = shared_keys_size(point, "functions");
    c->chunk = shared_keys_chunk(point, c->functions);
    c->contexts = shared_keys_contexts(point);
    compare_keys_read(&c->keys, point, &c->model.dims, c->model.trained_points);
    TRY(evaluate_basis_points(&c->T0, point, fit, c->model.trained_points, err));
    TRY(check_k(c, point, err));
    c->shape.dims = c->model.dims;
    fitted_method_planned(&c->setup, fit, control, &c->shape);
    c->own_basis = method_basis(&c->setup) && !(fit && fitted_method_is_mean(fit));
cleanup:
    return rc;
}

static struct curve_options curve_of(const struct compare_case *c) {
    return (struct curve_options){.setup = &c->setup,
                                  .chunk = c->chunk,
                                  .points = c->keys.points,
                                  .window_points = c->T0,
                                  .trained_points = c->model.trained_points,
                                  .contexts = c->contexts,
                                  .control = method_find("random")};
}

/* Those of whole prompts, which the plain model of every job reads. */
static void add_shared_prompts(struct job_cost *cost, const struct compare_case *c) {
    const struct model_dims *d = &c->model.dims;
    const size_t tokens = 2 * (c->keys.points - 1),
                 chunks = (c->functions + c->chunk - 1) / c->chunk;
    struct job_load load = {0};
    flops_add_contexts(&load, d, (double)c->functions, (double)tokens);
    cost->shared = load.contexts;
    cost->context_bytes = (double)(chunks * context_bytes(d, c->chunk, tokens, c->contexts));
    (void)snprintf(cost->context_of, sizeof cost->context_of, "compare");
}

static double compare_memory(const struct compare_case *c) {
    const struct model_dims *d = &c->model.dims;
    const struct curve_options o = curve_of(c);
    const size_t n = c->functions, sets = 2 * c->keys.n_k;
    size_t bytes = c->model.bytes + 2 * query_states_bytes(d, &o, c->keys.n_k, n) +
                   3 * cloud_bytes(n, d->E) + alignment_bytes(d->E) +
                   source_bytes(c->source, c->chunk, c->keys.points) +
                   sets * n * (d->L + 1) * sizeof(float);
    if (c->own_basis)
        bytes += function_basis_bytes(&c->setup, c->source, c->T0, c->chunk, c->contexts);
    return (double)bytes;
}

/* Contexts and blocks of lengths under the plain model and under the method, the basis, and the
 * eigenvectors of clouds, about 30 E^3 operations at each layer. */
static struct job_load compare_load(const struct compare_case *c) {
    const struct model_dims *d = &c->model.dims;
    const double n = (double)c->functions, E = (double)d->E,
                 seen = 2 * (double)(c->keys.points - 1), clouds = 3 * (double)(c->keys.n_k * d->L);
    struct job_load load = {0};
    flops_add_contexts(&load, d, 2 * n, seen);
    flops_add_queries(&load, d, 2 * n * (double)(c->keys.n_k * CURVE_LENGTHS), seen / 2);
    flops_add_reading(&load, d, 2 * n * (double)c->keys.n_k, seen, c->contexts);
    if (c->own_basis) {
        flops_add_contexts(&load, d, n, 2 * (double)c->T0);
        flops_add_queries(&load, d, n, 2 * (double)c->T0);
        flops_add_vectors(&load, d, n);
    }
    load.estimates = clouds * (6 * n * E * E + 30 * E * E * E);
    return load;
}

static enum err_code compare_plan(struct job_cost *cost, const struct config_point *point,
                                  const char *control, const struct stage_parent *parents, size_t n,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct compare_case c = {0};
    TRY(read_case(&c, point, control, parents, n, err));
    *cost = (struct job_cost){.load = compare_load(&c),
                              .group = 1,
                              .work = 2 * (double)c.functions,
                              .unit = "functions",
                              .mapped = (double)c.model.mapped};
    cost->memory = cost->memory_least = compare_memory(&c);
    add_shared_prompts(cost, &c);
    (void)snprintf(cost->summary, sizeof cost->summary,
                   "%zu functions, states at %zu k against %zu", c.functions, c.keys.n_k - 1,
                   c.keys.k[0]);
cleanup:
    source_close(c.source);
    return rc;
}

ROW_DEFINE(compare_row, COMPARE_ROW);

static const char *const PARENTS[] = {"fit", "choose", "pretrain", NULL};
static const char *const CONTEXT_KEYS[] = {"!also",         "!keep",   "!axes", "!confidence",
                                           "!basis_points", "!model.", NULL};

extern const struct stage stage_compare;
const struct stage stage_compare = {
    .name = "compare",
    .meaning = "Compare the states of the model under a method with those of the plain model, in "
               "its trained range and beyond.",
    .version = 1,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS | STAGE_USES_SHIFT,
    .parents = PARENTS,
    .context_keys = CONTEXT_KEYS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &compare_row_columns,
    .zero_is_none = "fit_points",
    .plan = compare_plan,
    .run = compare_run,
};
