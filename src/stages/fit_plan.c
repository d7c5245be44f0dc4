#include "stages/fit_plan.h"

#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "passes/flops.h"
#include "passes/teacher.h"
#include "sources/source_registry.h"
#include "stages/fit_derived.h"
#include "stages/fit_initial_weights.h"
#include "stages/fit_keys.h"
#include "stages/fit_prompts.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"
#include "stages/universal.h"

static enum err_code check_prompts(const struct fit_keys *k, const struct source *source,
                                   const struct config_point *point, const struct model_dims *dims,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(source_check(source, point, dims->inputs, err));
    if (k->size.answer == 0) TRY(shared_keys_check_points(point, "points", k->points, dims, err));
    CHECK_CONFIG(k->train > 0 && k->train < k->prompts, point, "validation",
                 "a share of %g of %zu prompts leaves %zu for training: training and validation "
                 "need at least one each",
                 config_float(point, "validation"), k->prompts, k->train);
    TRY(shared_keys_check_group(point, k->shards, err));
cleanup:
    return rc;
}

static enum err_code find_basis_points(size_t *T0, const struct method_setup *setup,
                                       const struct job_model *model,
                                       const struct config_point *point, struct err *err) {
    *T0 = 0;
    if (!method_reads_points(setup)) return ERR_OK;
    return job_model_basis_points(T0, point, model->trained_points, err);
}

static enum err_code check_basis(size_t T0, const struct fit_keys *k,
                                 const struct method_setup *setup, const struct config_point *point,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    if (T0 == 0) return ERR_OK;
    CHECK_CONFIG(T0 <= k->points || k->size.answer > 0, point, "basis_points",
                 "the basis is at point %zu, but prompts have %zu points: lower basis_points or "
                 "raise points",
                 T0, k->points);
    CHECK_CONFIG(T0 >= setup->method->inputs.least_points, point, "basis_points",
                 "%zu%s: %s needs a basis of %zu points or more: use %zu or more", T0,
                 config_int(point, "basis_points") == 0 ? " (the model's trained points)" : "",
                 setup->method->name, setup->method->inputs.least_points,
                 setup->method->inputs.least_points);
cleanup:
    return rc;
}

/* If each prompt has its own basis, the basis is computed from the first T0 - 1 pairs. For a query
 * before point T0 these pairs contain the y that it must predict. */
static enum err_code check_lengths(const struct fit_keys *k, const struct method_setup *setup,
                                   size_t T0, const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t least = k->mean || T0 == 0 ? 1 : T0;
    if (k->n_lengths == 0) return ERR_OK;
    CHECK_CONFIG(method_learns(setup->method), point, "lengths",
                 "%s is derived and has no loss: leave lengths out", setup->method->name);
    CHECK_CONFIG(k->n_lengths <= FIT_LENGTHS, point, "lengths",
                 "%zu lengths are more than the %d possible", k->n_lengths, FIT_LENGTHS);
    for (size_t i = 0; i < k->n_lengths; i++) {
        CHECK_CONFIG(k->lengths[i] <= k->points, point, "lengths",
                     "length %zu in prompts of %zu points: lower it or raise points", k->lengths[i],
                     k->points);
        CHECK_CONFIG(k->lengths[i] >= least, point, "lengths",
                     "the basis at point %zu already contains the y of a query at point %zu: lower "
                     "basis_points, or set basis = \"mean\"",
                     T0, k->lengths[i]);
        CHECK_CONFIG(i == 0 || k->lengths[i] > k->lengths[i - 1], point, "lengths",
                     "%zu after %zu: give each length once, in increasing order", k->lengths[i],
                     k->lengths[i - 1]);
    }
cleanup:
    return rc;
}

static enum err_code check_averaged(const struct fit_keys *k, const struct config_point *point,
                                    struct err *err) {
    if (k->averaged <= k->train) return ERR_OK;
    return config_error(err, point, "basis_prompts",
                        "%zu prompts of %zu for training: lower it or raise prompts", k->averaged,
                        k->train);
}

static enum err_code check_optimiser(const struct fit_keys *k, const struct method_setup *setup,
                                     const struct config_point *point, struct err *err) {
    if (!k->lbfgs || setup->l1 <= 0) return ERR_OK;
    return config_error(err, point, "optimiser.name",
                        "L-BFGS cannot minimise an L1 penalty of %g: use adam", setup->l1);
}

static double context_tokens(const struct fit_keys *k) {
    return k->size.answer > 0 ? (double)k->size.tokens : 2 * (double)(k->points - 1);
}

/* Query rows of one prompt. */
static double sample_rows(const struct fit_keys *k) {
    if (k->size.answer > 0) return (double)k->size.answer;
    return k->n_lengths > 0 ? (double)k->n_lengths : 1;
}

/* Training samples of one epoch, as often as updates read them. */
static double epoch_samples(const struct fit_keys *k) {
    return k->validate_every > 0 ? (double)k->validate_every * (double)k->batch : (double)k->train;
}

/* Its states, and its logits in every pass of a fit, twice with those of the answers. */
static void add_teacher(struct job_load *load, const struct fit_keys *k, const struct model_dims *d,
                        double rows) {
    const double n = (double)k->prompts, T = (double)k->size.teacher;
    flops_add_contexts(load, d, n, T);
    flops_add_queries(load, d, n, T);
    load->queries += 2 * flops_logits(d, rows, (double)d->vocabulary);
}

/* Contexts are computed once, if they fit the memory. Each epoch runs one query per prompt and
 * length: forward and backward (counted as two passes) for training prompts, forward for validation
 * prompts. All lengths of a prompt read its context together. Epochs that patience saves are not
 * known: the fit takes at most this. */
static struct job_load load_of(const struct fit_keys *k, const struct method_setup *setup,
                               size_t T0) {
    const struct model_dims *d = &setup->params->dims;
    const double T = context_tokens(k), n = (double)k->prompts, rows = sample_rows(k);
    const double epochs = (double)k->epochs * (double)method_choices(setup);
    const double passes = epochs * (2 * epoch_samples(k) + n - (double)k->train);
    struct job_load load = {0};
    flops_add_contexts(&load, d, n, T);
    flops_add_queries(&load, d, passes * rows, T);
    flops_add_reading(&load, d, passes, T, k->contexts);
    load.queries += flops_logits(d, passes * rows, (double)d->vocabulary);
    if (k->teacher > 0) add_teacher(&load, k, d, passes * rows);
    if (T0 == 0) return load;
    if (k->size.basis > 0) flops_add_contexts(&load, d, n, (double)k->size.basis);
    flops_add_queries(&load, d, n,
                      k->size.basis > 0 ? (double)k->size.basis : 2 * (double)(T0 - 1));
    flops_add_vectors(&load, d, k->mean ? epochs : passes * rows);
    return load;
}

/* A byte that a query reads takes about as long as five operations. */
double fit_plan_contexts_part(const struct fit_keys *k, const struct method_setup *setup,
                              size_t T0) {
    const struct job_load load = load_of(k, setup, T0);
    const double rest = load.queries + 5 * load.read;
    return rest > 0 ? load.contexts / (load.contexts + rest) : 0;
}

/* Contexts that do not fit the memory budget are recomputed, so a job needs memory for the contexts
 * of at least one pass, and uses at most that of all contexts. */
static void fill_cost(struct job_cost *cost, const struct fit_keys *k,
                      const struct fit_data_options *o, const struct config_point *point,
                      const struct source *source, double model) {
    const struct model_dims *d = &o->setup->params->dims;
    size_t group = shared_keys_size(point, "group"), count = (k->shards + group - 1) / group;
    double prompts = (double)fit_prompts_bytes(source, k, o->setup, o->basis_points);
    double kept = (double)fit_data_cached_bytes(o, d, count);
    double rest = prompts + model + (double)(fit_data_bytes(o, d, count) + teacher_bytes(o, count));
    *cost = (struct job_cost){.load = load_of(k, o->setup, o->basis_points),
                              .group = (int)group,
                              .checkpoints = true,
                              .work = (double)method_choices(o->setup) * (double)k->epochs *
                                      epoch_samples(k),
                              .unit = "prompts"};
    cost->shared = cost->load.contexts;
    cost->context_bytes = kept;
    cost->keeps_contexts = true;
    (void)snprintf(cost->context_of, sizeof cost->context_of, "fit");
    cost->memory = rest + kept;
    cost->memory_least = rest + fmin(kept, (double)fit_data_pass_bytes(o, d));
    (void)snprintf(cost->summary, sizeof cost->summary,
                   "%zu prompt%s x %zu point%s, contexts %.3g GB", k->prompts,
                   text_plural(k->prompts), k->points, text_plural(k->points), kept / 1e9);
}

/* Points of numbers whose contexts have as many tokens. */
static size_t context_points(const struct fit_keys *k) {
    return k->size.answer > 0 ? k->size.tokens / 2 + 1 : k->points;
}

static enum err_code check_kind(const struct method_setup *setup, const struct config_point *point,
                                struct err *err) {
    if (!setup->method->inputs.text_only || source_is_text(point)) return ERR_OK;
    return config_error(err, point, "method", "%s is for text: see taskvec help %s",
                        setup->method->name, setup->method->name);
}

static enum err_code check_effects(const struct method_setup *setup,
                                   const struct config_point *point,
                                   const struct stage_parent *parents, size_t n, struct err *err) {
    if (!method_takes_effects(setup) || universal_is_read(parents, n)) return ERR_OK;
    return config_error(err, point, "of",
                        "%s takes the mean effects of heads over tasks: name a stage `universal`",
                        setup->method->name);
}

enum err_code fit_plan(struct job_cost *cost, const struct config_point *point, const char *control,
                       const struct stage_parent *parents, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    struct fit_keys k;
    struct method_setup setup;
    struct fit_data_options o;
    struct source *source = NULL;
    size_t T0;
    (void)control;
    fit_keys_read(&k, point);
    TRY(job_model_plan(&model, point, parents, n, err));
    const struct params shape = {.dims = model.dims};
    method_setup_read(&setup, point, &shape);
    TRY(find_basis_points(&T0, &setup, &model, point, err));
    fit_keys_settle(&k, T0);
    TRY(fit_prompts_plan(&source, &k.size, &k, &setup, T0, point, err));
    TRY(check_prompts(&k, source, point, &model.dims, err));
    if (setup.method->config.check) TRY(setup.method->config.check(&setup, point, err));
    TRY(check_kind(&setup, point, err));
    TRY(fit_initial_weights_check(point, &setup, err));
    TRY(check_optimiser(&k, &setup, point, err));
    TRY(check_basis(T0, &k, &setup, point, err));
    TRY(check_averaged(&k, point, err));
    TRY(check_effects(&setup, point, parents, n, err));
    TRY(check_lengths(&k, &setup, T0, point, err));
    const size_t most = k.prompts > k.batch ? k.prompts : k.batch;
    TRY(shared_keys_check_room(point, most, context_points(&k), &model.dims, err));
    if (!method_learns(setup.method)) {
        TRY(fit_derived_check(&k, &setup, T0, point, err));
        fit_derived_cost(cost, &k, &setup, T0, source, (double)model.bytes);
    } else {
        fit_keys_data(&o, &k, &setup, T0);
        fill_cost(cost, &k, &o, point, source, (double)model.bytes);
    }
    cost->mapped = (double)model.mapped;
cleanup:
    source_close(source);
    return rc;
}
