/*
 * evaluate - measures the error of a method after every number of examples, on test functions.
 *
 * A job reads the fit that it evaluates (none for a control or the plain model) and the model
 * (job_model.h). Every job of a config sees the same functions and prompts. The basis of a test
 * function is a separate prompt of the same function with other x, so a vector can carry the
 * function but not the examples that follow. A shift changes the test prompts only; the basis keeps
 * the training distribution, as in the published evaluation.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "passes/curve.h"
#include "passes/flops.h"
#include "sources/source_registry.h"
#include "stages/evaluate_keep.h"
#include "stages/evaluate_rows.h"
#include "stages/evaluate_run.h"
#include "stages/evaluate_text.h"
#include "stages/evaluate_text_rows.h"
#include "stages/fitted_method.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

static const char *const FITS[] = {"own_task", "all", NULL};
static const char *const ASKED[] = {"test", "validation", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "also",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST | CONFIG_SILENT | CONFIG_OPTIONAL,
        .choices = METHOD_CONTROLS,
        .unit = "",
        .meaning = "Controls to evaluate: one job per model, or per fit for controls of a fit.",
    },
    {
        .name = "also_of",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST | CONFIG_SILENT | CONFIG_OPTIONAL,
        .choices = METHOD_FITTED,
        .unit = "",
        .meaning = "Methods whose fits have controls of a fit (`random`, `mismatched`); by default "
                   "all.",
    },
    {
        .name = "points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e6,
        .unit = "points",
        .meaning = "Points per test prompt: errors after 0 to points - 1 examples; of text, points "
                   "- 1 shots and the query.",
    },
    {
        .name = "functions",
        .type = CONFIG_INT,
        .min = 1,
        .max = 1e7,
        .def = "512",
        .unit = "",
        .meaning = "Number of test functions, with one prompt each; of text, of test items, or all "
                   "that there are.",
    },
    SHARED_KEY_CHUNK("Number of prompts whose contexts are in memory at a time."),
    SHARED_KEY_BASIS_POINTS(
        "Window length T0 of the controls; 0 means the model's trained length."),
    SHARED_KEY_CONFIDENCE("Confidence level of the intervals over functions."),
    {
        .name = "keep",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST | CONFIG_SINCE,
        .def = "[]",
        .choices = EVALUATE_KEEP_NAMES,
        .unit = "",
        .meaning =
            "What the artifact keeps besides the errors: predictions with their targets, and "
            "prompts with those of the basis.",
    },
    {
        .name = "fits",
        .type = CONFIG_NAME,
        .flags = CONFIG_SILENT | CONFIG_SINCE,
        .def = "own_task",
        .choices = FITS,
        .when = "source.kind=text",
        .unit = "",
        .meaning = "Which fits a task is evaluated with: its own and those of tasks that the stage "
                   "does not have, or all, so that every fit meets every task.",
    },
    {
        .name = "asked",
        .type = CONFIG_NAME,
        .flags = CONFIG_SINCE,
        .def = "test",
        .choices = ASKED,
        .when = "source.kind=text",
        .unit = "",
        .meaning = "Pairs that are asked: those for test, or those for validation, as where tasks "
                   "are chosen by the plain model's accuracy.",
    },
};

void evaluate_keys_read(struct evaluate_keys *k, const struct config_point *point,
                        const struct source *source) {
    *k = (struct evaluate_keys){
        .points = source_points(source, shared_keys_size(point, "points")),
        .functions = shared_keys_size(point, "functions"),
        .confidence = config_float(point, "confidence"),
        .contexts = shared_keys_contexts(point),
    };
    k->chunk = shared_keys_chunk(point, k->functions);
    dummy_pairs_read(&k->dummies, point);
}

enum err_code evaluate_basis_points(size_t *out, const struct config_point *own,
                                    const struct config_point *fit, size_t trained_points,
                                    struct err *err) {
    if (!fit || config_has(fit, "basis_points"))
        return job_model_basis_points(out, fit ? fit : own, trained_points, err);
    *out = trained_points > 0 ? trained_points : 1;
    return ERR_OK;
}

/* of: source of the test prompts; fit: the method of the evaluated fit, or NULL. */
static double memory_needed(const struct evaluate_keys *k, const struct source *of,
                            const struct curve_options *o, const struct method_setup *fit) {
    const struct model_dims *d = &o->setup->params->dims;
    const unsigned anchors = basis_bit(BASIS_ANCHORS) & (fit ? method_basis(fit) : 0);
    const struct method_setup *method = fit ? fit : o->setup;
    struct curve_options theirs = *o;
    theirs.setup = method;
    size_t prompts =
        source_bytes(of, k->chunk, k->points) + source_bytes(of, k->chunk, o->window_points);
    double errors = (double)(k->functions * k->points);
    const struct basis_size size = {.T0 = o->window_points};
    size_t basis = basis_set_bytes(d, anchors | ~basis_bit(BASIS_ANCHORS), k->chunk) +
                   method_collector_bytes(method, &size, k->chunk, k->contexts);
    return (errors + (double)params_count(d)) * sizeof(float) + (double)prompts +
           fmax((double)curve_bytes(d, o), (double)curve_bytes(d, &theirs)) + (double)basis;
}

/* Contexts of the prompts and queries at every length. A length has a context of its own from
 * `beyond` on, where the method reads a window, and everywhere if labels change with the length or
 * dummy pairs are inserted. */
static void add_curve(struct job_load *load, const struct evaluate_keys *k, bool own,
                      const struct curve_options *o) {
    const struct model_dims *d = &o->setup->params->dims;
    const double n = (double)k->functions, dummies = (double)k->dummies.n;
    const size_t beyond = curve_window_from(o);
    const double window = 2 * ((double)o->window_points - 1 + dummies);
    const double windows = (double)(k->points - beyond), whole = 2 * (double)(k->points - 1);
    flops_add_queries(load, d, n * (double)k->points, whole / 2 + 2 * dummies);
    flops_add_contexts(load, d, n * windows, window);
    flops_add_reading(load, d, n * windows, window, k->contexts);
    for (size_t i = 0; own && i < beyond; i++)
        flops_add_contexts(load, d, n, 2 * ((double)i + dummies));
    if (!own) flops_add_contexts(load, d, n, whole);
    if (!own)
        flops_add_reading(load, d, n * ceil((double)beyond / CURVE_LENGTHS), whole, k->contexts);
}

/* The basis of every function, unless the fit has a mean basis for all. */
static void add_basis(struct job_load *load, const struct evaluate_keys *k,
                      const struct method_setup *setup, size_t T0) {
    const struct model_dims *d = &setup->params->dims;
    const double n = (double)k->functions, seen = 2 * (double)(T0 - 1);
    flops_add_contexts(load, d, n, seen);
    flops_add_queries(load, d, n * (1 + (double)method_anchors(setup)), seen);
    flops_add_vectors(load, d, n);
}

/* The control `mismatched` uses the vector of another function. */
static enum err_code check_mismatched(const struct evaluate_keys *k,
                                      const struct config_point *point, struct err *err) {
    const size_t n = config_has(point, "also") ? config_list_size(point, "also") : 0;
    for (size_t i = 0; i < n && k->functions < 2; i++) {
        if (strcmp(config_list_text(point, "also", i), "mismatched") != 0) continue;
        return config_error(err, point, "functions",
                            "%zu function is too few: mismatched takes the basis of another "
                            "function and needs 2 or more",
                            k->functions);
    }
    return ERR_OK;
}

static enum err_code check_prompts(size_t *T0, const struct evaluate_keys *k,
                                   const struct source *source, const struct job_model *model,
                                   const struct config_point *point, const struct config_point *fit,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &model->dims;
    TRY(source_check(source, point, d->inputs, err));
    TRY(dummy_pairs_check(point, err));
    TRY(check_mismatched(k, point, err));
    TRY(shared_keys_check_points(point, "points", k->points + k->dummies.n, d, err));
    TRY(evaluate_basis_points(T0, point, fit, model->trained_points, err));
    TRY(shared_keys_check_points(point, "basis_points", *T0, d, err));
    TRY(shared_keys_check_room(point, k->chunk, *T0 > k->points ? *T0 : k->points, d, err));
cleanup:
    return rc;
}

static struct job_load load_of(const struct evaluate_keys *k, const struct source *source,
                               const struct curve_options *o, size_t T0, bool mean) {
    struct job_load load = {0};
    const bool own = source_info(source)->relabels || k->dummies.n > 0;
    add_curve(&load, k, own, o);
    if (method_basis(o->setup) && !mean) add_basis(&load, k, o->setup, T0);
    return load;
}

/* Evaluations read the same contexts of whole prompts, or of every length where labels change with
 * it, unless the method edits their tokens or dummy pairs are inserted. */
static void add_shared_contexts(struct job_cost *cost, const struct evaluate_keys *k,
                                const struct curve_options *o, bool relabels) {
    const struct model_dims *d = &o->setup->params->dims;
    const double n = (double)k->functions;
    struct job_load load = {0};
    if (k->dummies.n > 0 || o->setup->method->application.scope == EDIT_ALL) return;
    for (size_t i = relabels ? 0 : k->points - 1; i < k->points; i++) {
        flops_add_contexts(&load, d, n, 2 * (double)i);
        cost->context_bytes +=
            ceil(n / (double)k->chunk) * (double)context_bytes(d, k->chunk, 2 * i, k->contexts);
    }
    cost->shared = load.contexts;
    (void)snprintf(cost->context_of, sizeof cost->context_of, "evaluate");
}

/* The memory is that of the most expensive control (oracle, random), so that none is
 * underestimated. fit: the point of the evaluated fit, or NULL; control: see plan() in stage.h. */
static void fill_cost(struct job_cost *cost, const struct evaluate_keys *k,
                      const struct source *source, const struct job_model *model, size_t T0,
                      const struct config_point *fit, const char *control) {
    const struct params shape = {.dims = model->dims};
    struct method_setup setup, fitted;
    method_setup_named(&setup, "oracle", &shape);
    fitted_method_planned(&fitted, fit, control, &shape);
    const struct curve_options o = {.setup = &setup,
                                    .chunk = k->chunk,
                                    .points = k->points,
                                    .window_points = T0,
                                    .trained_points = model->trained_points,
                                    .contexts = k->contexts,
                                    .dummies = &k->dummies,
                                    .control = method_find("random")};
    struct curve_options theirs = o;
    theirs.setup = &fitted;
    const bool mean = fit && fitted_method_is_mean(fit);
    *cost = (struct job_cost){.load = load_of(k, source, &theirs, T0, mean),
                              .group = 1,
                              .work = (double)k->functions * (double)k->points,
                              .unit = "predictions"};
    add_shared_contexts(cost, k, &theirs, source_info(source)->relabels);
    cost->memory = cost->memory_least = memory_needed(k, source, &o, fit ? &fitted : NULL);
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu function%s x %zu point%s, shift %s",
                   k->functions, text_plural(k->functions), k->points, text_plural(k->points),
                   source_info(source)->shift);
}

/* What the key `keep` adds. */
static double memory_kept(const struct evaluate_keys *k, const struct source *source, size_t T0,
                          const struct config_point *point) {
    struct evaluate_kept_sizes size;
    evaluate_kept_read(&size, point, source, k->functions, k->points, T0);
    return (double)evaluate_kept_bytes(&size);
}

static enum err_code evaluate_plan(struct job_cost *cost, const struct config_point *point,
                                   const char *control, const struct stage_parent *parents,
                                   size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    struct evaluate_keys k;
    const struct config_point *fit = job_model_fit(parents, n);
    struct source *source = NULL;
    size_t T0;
    if (source_is_text(point)) return evaluate_text_plan(cost, point, control, parents, n, err);
    TRY(source_open(&source, point, &(struct source_options){.shifted = true}, err));
    evaluate_keys_read(&k, point, source);
    TRY(job_model_plan(&model, point, parents, n, err));
    TRY(check_prompts(&T0, &k, source, &model, point, fit, err));
    fill_cost(cost, &k, source, &model, T0, fit, control);
    cost->memory += memory_kept(&k, source, T0, point);
    cost->memory += (double)model.packed;
    cost->memory_least = cost->memory;
    cost->mapped = (double)model.mapped;
cleanup:
    source_close(source);
    return rc;
}

static enum err_code evaluate_any(struct job_ctx *ctx, struct err *err) {
    return source_is_text(ctx->point) ? evaluate_text_run(ctx, err) : evaluate_run(ctx, err);
}

ROW_DEFINE(evaluate_row, EVALUATE_ROW);

static const char *const PARENTS[] = {"fit", "choose", "pretrain", NULL};
static const char *const CONTEXT_KEYS[] = {"!also",         "!keep",   "!confidence",
                                           "!basis_points", "!model.", NULL};

extern const struct stage stage_evaluate;
const struct stage stage_evaluate = {
    .name = "evaluate",
    .meaning = "Measure the error of fits and controls after every number of examples.",
    .version = 9,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS | STAGE_USES_SHIFT |
            STAGE_USES_DUMMIES,
    .parents = PARENTS,
    .context_keys = CONTEXT_KEYS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &evaluate_row_columns,
    .text_columns = &evaluate_text_row_columns,
    .zero_is_none = "fit_points",
    .plan = evaluate_plan,
    .run = evaluate_any,
};
