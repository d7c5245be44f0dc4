#include "stages/fit_derived.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_mean.h"
#include "base/text.h"
#include "passes/choice_loss.h"
#include "passes/flops.h"
#include "stages/fit_prompts.h"
#include "stages/fit_results.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"
#include "stages/universal.h"

struct derivation {
    struct job_ctx *ctx;
    struct fit_keys k;
    struct model model;
    struct context_share share;
    const struct context_share *shared; /* that, or NULL */
    struct method_setup setup;
    struct fit_prompts drawn;
    struct prompt_view prompts; /* of these */
    struct prompt_view bases;   /* of these, from which the basis is taken; of numbers `prompts` */
    size_t T0, weights, choices;
    float *w;              /* [weights] or NULL */
    double *effects;       /* [L, H] of another job, or NULL */
    double *losses;        /* [choices] of validation */
    struct basis_set mean; /* one row, if basis = "mean" */
    double done;           /* prompts processed so far, of work_of() */
};

static void derivation_release(struct derivation *d) {
    basis_set_destroy(&d->mean);
    fit_prompts_close(&d->drawn);
    model_close(&d->model);
    free(d->effects);
    free(d->losses);
    free(d->w);
}

static bool wants_mean(const struct fit_keys *k, const struct method_setup *s) {
    return k->mean && method_basis(s);
}

/* Prompts to process in all: for the weights, for the mean basis, and for the choice. */
static double work_of(const struct fit_keys *k, const struct method_setup *s) {
    const double derived = s->method->derivation.derive ? (double)k->train : 0,
                 averaged = wants_mean(k, s) ? (double)k->averaged : 0;
    return derived + averaged + (double)(k->prompts - k->train);
}

static enum err_code create_arrays(struct derivation *d, struct err *err) {
    enum err_code rc = ERR_OK;
    d->weights = method_weights(&d->setup);
    d->choices = method_choices(&d->setup);
    d->w = d->weights > 0 ? calloc(d->weights, sizeof *d->w) : NULL;
    d->losses = calloc(d->choices, sizeof *d->losses);
    CHECK(d->losses && (d->w || d->weights == 0), ERR_MEMORY, "no memory for %zu weights",
          d->weights);
cleanup:
    return rc;
}

/* Of heads over tasks, for a method that chooses by them. */
static enum err_code read_effects(struct derivation *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *dims = &d->model.params.dims;
    bool found = false;
    if (!method_takes_effects(&d->setup)) return ERR_OK;
    d->effects = calloc(dims->L * dims->H, sizeof *d->effects);
    CHECK(d->effects, ERR_MEMORY, "no memory for the effects of heads");
    TRY(universal_read(d->effects, &found, d->ctx, dims->L, dims->H, err));
    CHECK(found, ERR_BUG, "the fit reads no mean effects of heads");
cleanup:
    return rc;
}

static enum err_code derivation_init(struct derivation *d, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *d = (struct derivation){.ctx = ctx};
    fit_keys_read(&d->k, ctx->point);
    TRY(job_model_open(&d->model, ctx, err));
    d->shared = job_model_share(&d->share, ctx, &d->model);
    method_setup_read(&d->setup, ctx->point, &d->model.params);
    if (method_reads_points(&d->setup))
        TRY(job_model_basis_points(&d->T0, ctx->point, d->model.trained_points, err));
    fit_keys_settle(&d->k, d->T0);
    TRY(create_arrays(d, err));
    TRY(read_effects(d, err));
    TRY(fit_prompts_draw(&d->drawn, &d->k, &d->setup, d->T0, ctx, err));
    d->k.size = d->drawn.size;
    d->prompts = d->drawn.prompts;
    d->bases = d->drawn.basis_source ? d->drawn.basis : d->prompts;
cleanup:
    if (rc != ERR_OK) derivation_release(d);
    return rc;
}

/* Reports that `more` prompts beyond d->done are processed. */
static enum err_code report(struct derivation *d, double more, struct err *err) {
    if (job_should_stop(d->ctx))
        return ERR(err, ERR_STOPPED, "stopped after %.0f prompts", d->done + more);
    return job_progress(d->ctx, d->done + more, work_of(&d->k, &d->setup), err);
}

/* ---- weights */

static enum err_code report_share(void *context, double done, double total, struct err *err) {
    struct derivation *d = context;
    return report(d, total > 0 ? done / total * (double)d->k.train : 0, err);
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* But for the prompts, the stream and the report. */
static struct method_training training_of(const struct fit_keys *k, const struct method_setup *s,
                                          size_t T0) {
    struct method_training t = {
        .prompts = {.n = k->train, .points = k->points, .dims = s->params->dims.inputs},
        .tokens = larger(k->size.basis, k->size.more),
        .answer = larger(k->size.basis_answer, k->size.more_answer),
        .T0 = T0,
        .chunk = k->batch,
        .contexts = k->contexts};
    size_t n[METHOD_TEXTS];
    method_texts(n, s, k->train);
    for (enum method_texts i = 0; i < METHOD_TEXTS; i++) t.texts[i].n = n[i];
    return t;
}

static enum err_code derive(struct derivation *d, struct err *err) {
    const struct rng stream = fit_stream(&d->k, d->ctx->seed, "derive");
    struct method_training t = training_of(&d->k, &d->setup, d->T0);
    if (!d->setup.method->derivation.derive) return ERR_OK;
    t.effects = d->effects;
    t.prompts = prompt_view_part(&d->bases, 0, d->k.train);
    for (enum method_texts i = 0; i < METHOD_TEXTS; i++) t.texts[i] = d->drawn.texts[i];
    t.share = d->shared;
    t.stream = &stream;
    t.report = report_share;
    t.context = d;
    const enum err_code rc = d->setup.method->derivation.derive(d->w, &t, &d->setup, err);
    d->done += (double)d->k.train;
    return rc;
}

/* ---- the mean basis */

static enum err_code report_more(void *context, size_t more, struct err *err) {
    struct derivation *d = context;
    d->done += (double)more;
    return report(d, 0, err);
}

static struct basis_size basis_size_of(const struct fit_keys *k, size_t T0) {
    return (struct basis_size){.T0 = T0, .tokens = k->size.basis, .answer = k->size.basis_answer};
}

static enum err_code find_mean(struct derivation *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = &d->model.params;
    const struct basis_mean_options o = {.params = p,
                                         .prompts = prompt_view_part(&d->bases, 0, d->k.averaged),
                                         .chunk = d->k.batch,
                                         .report = report_more,
                                         .context = d};
    const struct basis_size size = basis_size_of(&d->k, d->T0);
    struct basis_collector *c = NULL;
    if (!wants_mean(&d->k, &d->setup)) return ERR_OK;
    TRY(basis_set_create(&d->mean, &p->dims, method_basis(&d->setup), 1, err));
    TRY(method_collector_create(&c, &d->setup, d->w, &size, o.chunk, d->k.contexts, err));
    basis_collector_share(c, d->shared);
    TRY(basis_mean(&d->mean, c, &o, err));
cleanup:
    basis_collector_destroy(c);
    return rc;
}

/* ---- the choice */

static struct choice_loss_options choose_options_of(const struct fit_keys *k,
                                                    struct method_setup *setup, size_t T0) {
    return (struct choice_loss_options){.setup = setup,
                                        .points = k->points,
                                        .T0 = T0,
                                        .chunk = k->batch,
                                        .size = k->size,
                                        .first_token = k->first_token,
                                        .mean = wants_mean(k, setup),
                                        .loss = k->loss,
                                        .contexts = k->contexts};
}

static enum err_code choose(struct derivation *d, struct err *err) {
    enum err_code rc = ERR_OK;
    struct choice_loss_options o = choose_options_of(&d->k, &d->setup, d->T0);
    o.share = d->shared;
    const struct basis mean =
        wants_mean(&d->k, &d->setup) ? basis_set_view(&d->mean, 0, 1) : (struct basis){0};
    const size_t held = d->k.prompts - d->k.train;
    struct choice_loss *chooser = NULL;
    TRY(choice_loss_create(&chooser, &o, d->w, err));
    for (size_t first = d->k.train; first < d->k.prompts; first += d->k.batch) {
        const struct prompt_view part = prompt_view_chunk(&d->prompts, first, d->k.batch),
                                 bases = prompt_view_chunk(&d->bases, first, d->k.batch);
        choice_loss_add(d->losses, chooser, &part, &bases, &mean, 1 / (double)held);
        d->done += (double)part.n;
        TRY(report(d, 0, err));
    }
    d->setup.choice = choice_loss_least(d->losses, d->choices);
    CHECK(d->setup.choice < d->choices, ERR_NUMERIC, "the validation loss is %g", d->losses[0]);
cleanup:
    choice_loss_destroy(chooser);
    return rc;
}

/* ---- results */

static enum err_code write_derived_results(struct derivation *d, struct err *err) {
    enum err_code rc = ERR_OK;
    float *losses = calloc(d->choices, sizeof *losses);
    CHECK(losses, ERR_MEMORY, "no memory for %zu losses", d->choices);
    for (size_t i = 0; i < d->choices; i++) losses[i] = (float)d->losses[i];
    const struct fit_results r = {.setup = &d->setup,
                                  .points = d->k.points,
                                  .T0 = d->T0,
                                  .repeat = d->k.repeat,
                                  .train_loss = (double)NAN,
                                  .validation_loss = d->losses[d->setup.choice],
                                  .end = "derived",
                                  .weights = d->w,
                                  .choice_losses = losses,
                                  .mean = wants_mean(&d->k, &d->setup) ? &d->mean : NULL};
    TRY(fit_results_write(d->ctx, &r, err));
cleanup:
    free(losses);
    return rc;
}

enum err_code fit_derived(struct job_ctx *ctx, struct err *err) {
    struct derivation d;
    enum err_code rc = derivation_init(&d, ctx, err);
    if (rc != ERR_OK) return rc;
    TRY(derive(&d, err));
    TRY(find_mean(&d, err));
    TRY(choose(&d, err));
    TRY(write_derived_results(&d, err));
cleanup:
    derivation_release(&d);
    return rc;
}

/* ---- plan */

enum err_code fit_derived_check(const struct fit_keys *k, const struct method_setup *s, size_t T0,
                                const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK_CONFIG(
        k->shards == 1, point, "shards",
        "%s is derived on one rank and needs shards = 1, not %zu: put it in a separate stage",
        config_text(point, "method"), k->shards);
    const size_t recent = s->method->inputs.recent ? s->method->inputs.recent(s) : 1;
    CHECK_CONFIG(T0 == 0 || recent <= T0, point, "basis_points",
                 "%s averages the last %zu xs, but the basis has %zu points: lower %s.average or "
                 "raise basis_points",
                 s->method->name, recent, T0, s->method->name);
    CHECK_CONFIG(
        method_anchors(s) <= k->train * k->points, point, "prompts",
        "%zu training prompts of %zu points do not have %zu different anchors: raise prompts",
        k->train, k->points, method_anchors(s));
cleanup:
    return rc;
}

/* Tokens before the query of a prompt, and of a basis prompt. */
static double asked_tokens(const struct fit_keys *k) {
    return k->size.answer > 0 ? (double)k->size.tokens : 2 * (double)(k->points - 1);
}
static double basis_tokens(const struct fit_keys *k, size_t T0) {
    return k->size.answer > 0 ? (double)larger(k->size.basis, k->size.more) : 2 * (double)(T0 - 1);
}

/* The derivation beyond the context of each training prompt. */
static void add_more(struct job_load *load, const struct fit_keys *k, const struct method_setup *s,
                     size_t T0) {
    const struct method_training t = training_of(k, s, T0);
    double contexts = 0, tokens = 0;
    if (!s->method->derivation.work) return;
    s->method->derivation.work(&contexts, &tokens, s, &t);
    flops_add_contexts(load, &s->params->dims, contexts, basis_tokens(k, T0));
    flops_add_queries(load, &s->params->dims, tokens, basis_tokens(k, T0));
}

/* A basis for each prompt processed, and for each validation prompt one query per choice on its
 * context, or on one of its own where the method edits every token. */
static struct job_load load_of(const struct fit_keys *k, const struct method_setup *s, size_t T0) {
    const struct model_dims *d = &s->params->dims;
    const double T = asked_tokens(k), choices = (double)method_choices(s);
    const double held = (double)(k->prompts - k->train);
    const double rows = held * (k->size.answer > 0 ? (double)k->size.answer : 1);
    const bool edited = s->method->application.scope == EDIT_ALL;
    struct job_load load = {0};
    if (T0 > 0) {
        const double B = basis_tokens(k, T0), bases = held + wants_mean(k, s) * (double)k->train;
        add_more(&load, k, s, T0);
        flops_add_contexts(&load, d, work_of(k, s), B);
        flops_add_queries(&load, d, work_of(k, s) + bases * (double)method_anchors(s), B);
    }
    flops_add_contexts(&load, d, held * (edited ? choices : 1), T);
    flops_add_queries(&load, d, rows * choices, T);
    flops_add_reading(&load, d, held * choices, T, k->contexts);
    load.queries += flops_logits(d, rows * choices, (double)d->vocabulary);
    return load;
}

static double bytes_of(const struct fit_keys *k, struct method_setup *s, size_t T0,
                       const struct source *source, double model) {
    const struct model_dims *d = &s->params->dims;
    const struct method_training t = training_of(k, s, T0);
    const struct choice_loss_options o = choose_options_of(k, s, T0);
    double bytes = (double)fit_prompts_bytes(source, k, s, T0) + model;
    const struct basis_size size = basis_size_of(k, T0);
    double part = (double)choice_loss_bytes(&o);
    if (wants_mean(k, s))
        part = fmax(part, (double)(basis_set_bytes(d, method_basis(s), k->batch) +
                                   method_collector_bytes(s, &size, k->batch, k->contexts)));
    if (s->method->derivation.bytes) part = fmax(part, (double)s->method->derivation.bytes(s, &t));
    return bytes + part;
}

/* Operations of the contexts that the choice of any method reads, unless it edits them. */
static double validation_contexts(const struct fit_keys *k, const struct method_setup *s) {
    struct job_load load = {0};
    const struct model_dims *d = &s->params->dims;
    if (s->method->application.scope == EDIT_ALL) return 0;
    flops_add_contexts(&load, d, (double)(k->prompts - k->train), asked_tokens(k));
    return load.contexts;
}

void fit_derived_cost(struct job_cost *cost, const struct fit_keys *k,
                      const struct method_setup *setup, size_t T0, const struct source *source,
                      double model) {
    struct method_setup s = *setup;
    *cost = (struct job_cost){
        .load = load_of(k, &s, T0), .group = 1, .work = work_of(k, &s), .unit = "prompts"};
    cost->shared = validation_contexts(k, setup);
    cost->context_bytes = (double)context_bytes(&setup->params->dims, k->prompts,
                                                (size_t)asked_tokens(k), k->contexts);
    (void)snprintf(cost->context_of, sizeof cost->context_of, "derived fit %zu %zu", T0, k->batch);
    cost->memory = cost->memory_least = bytes_of(k, &s, T0, source, model);
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu prompt%s x %zu point%s, %zu choice%s",
                   k->prompts, text_plural(k->prompts), k->points, text_plural(k->points),
                   method_choices(setup), text_plural(method_choices(setup)));
}
