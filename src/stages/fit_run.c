/*
 * Prompts, contexts and bases are computed once, because the model is frozen; then every update is
 * one pass of the query stream over a mini-batch. In a group each rank holds the contexts of its
 * shards, and only losses and the gradients of the weights (L x H numbers for ltv) are summed, in
 * shard order, so that the number of ranks changes no bit.
 *
 * A method may leave a number open, such as a layer (`choices`): then each choice is a fit from the
 * same initial weights, and the one with the least validation loss is kept.
 */
#include "stages/fit_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "optim/optim_options.h"
#include "passes/teacher.h"
#include "stages/fit_derived.h"
#include "stages/fit_initial_weights.h"
#include "stages/fit_keys.h"
#include "stages/fit_plan.h"
#include "stages/fit_prompts.h"
#include "stages/fit_results.h"
#include "stages/fit_state.h"
#include "stages/job_model.h"

enum { AGREE_EVERY = 8 }; /* passes after which a group agrees again whether to stop */
static const double SAVE_EVERY = 300.0; /* seconds between checkpoints at most, whatever
                                           checkpoint_every is */

struct fit_kept { /* the result of the fit of one choice */
    size_t choice;
    struct fit_loop_state state; /* its numbers and `best`; its other arrays are not used */
    enum fit_end end;
};

struct fit_job {
    struct job_ctx *ctx;
    struct fit_keys k;
    struct model model;
    struct context_share share;
    struct method_setup setup;
    struct fit_prompts prompts;
    struct teacher teacher;
    struct fit_data *data;
    struct fit_loop_options options;
    struct fit_loop_state state, saved; /* during an epoch; after the last whole epoch */
    struct fit_kept kept;               /* the best of the finished choices */
    size_t choices;                     /* setup.choice runs from 0 to choices - 1 */
    int64_t written;                    /* epoch of the newest checkpoint */
    double written_at;                  /* clock_now() of it */
    enum fit_end end;
    size_t T0, weights, passes;     /* passes: of this epoch */
    float *gradient, *dw, *scratch; /* [weights], [shards of this rank, weights], [weights] */
    double *loss, *sum;             /* [shards of this rank + 1]: the last is scratch */
    uint32_t *order, *batch;        /* [train], [batch]: prompt numbers */
    float *losses;                  /* [choices, epochs] validation loss */
    float *choice_losses;           /* [choices] least validation loss */
    struct arena memory;
};

/* Shards of this rank; 1 where it has none, so that no array is empty. */
static size_t shard_count(const struct fit_job *f) {
    size_t first, count;
    job_shard_range(&first, &count, f->k.shards, f->ctx->group_rank, f->ctx->group_size);
    return count > 0 ? count : 1;
}

static void lay_out_state(struct fit_loop_state *s, struct arena *a, size_t n, size_t memory) {
    s->w = arena_floats(a, n);
    s->memory = arena_floats(a, memory);
    s->best = arena_floats(a, n);
}

static void lay_out_fit(struct fit_job *f) {
    lay_out_state(&f->state, &f->memory, f->weights, fit_loop_memory(&f->options));
    lay_out_state(&f->saved, &f->memory, f->weights, fit_loop_memory(&f->options));
    f->gradient = arena_floats(&f->memory, f->weights);
    f->scratch = arena_floats(&f->memory, f->weights);
    f->dw = arena_floats(&f->memory, f->weights * shard_count(f));
    f->kept.state.best = arena_floats(&f->memory, f->weights);
    f->losses = arena_floats(&f->memory, f->choices * (size_t)f->k.epochs);
    f->choice_losses = arena_floats(&f->memory, f->choices);
}

static enum err_code create_fit_arrays(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    f->loss = calloc(2 * (shard_count(f) + 1), sizeof *f->loss);
    f->order = calloc(f->k.train + f->k.batch, sizeof *f->order);
    CHECK(f->loss && f->order, ERR_MEMORY, "no memory for the order of %zu prompts", f->k.train);
    f->sum = f->loss + shard_count(f) + 1;
    f->batch = f->order + f->k.train;
    lay_out_fit(f);
    TRY(arena_commit(&f->memory, err));
    lay_out_fit(f);
cleanup:
    return rc;
}

static void fit_job_release(struct fit_job *f) {
    fit_data_destroy(f->data);
    teacher_destroy(&f->teacher);
    fit_prompts_close(&f->prompts);
    model_close(&f->model);
    arena_release(&f->memory);
    free(f->order);
    free(f->loss);
}

/* Contexts get what remains of the memory budget after all that cannot be recomputed. */
static enum err_code create_data(struct fit_job *f, struct err *err) {
    struct fit_data_options o;
    const struct model_dims *d = &f->model.params.dims;
    fit_keys_data(&o, &f->k, &f->setup, f->T0);
    const size_t model = f->model.lender ? 0 : params_count(d) * sizeof(float);
    size_t needed = fit_data_bytes(&o, d, shard_count(f)) + teacher_bytes(&o, shard_count(f)) +
                    model + fit_prompts_bytes(f->prompts.source, &f->k, &f->setup, f->T0);
    o.memory = f->ctx->memory > needed ? f->ctx->memory - needed : 0;
    o.prompts = f->prompts.prompts;
    o.basis_prompts = f->prompts.basis;
    o.share = job_model_share(&f->share, f->ctx, &f->model);
    o.part = fit_plan_contexts_part(&f->k, &f->setup, f->T0);
    if (f->k.teacher > 0) {
        const enum err_code rc = teacher_create(&f->teacher, &o, &f->prompts.teacher, f->ctx, err);
        if (rc != ERR_OK) return rc;
        o.teacher = &f->teacher;
    }
    return fit_data_create(&f->data, &o, f->ctx, err);
}

static void set_options(struct fit_job *f) {
    f->options = (struct fit_loop_options){
        .optimiser = f->k.lbfgs ? FIT_LBFGS : FIT_ADAM,
        .l1 = f->setup.l1,
        .weights = f->weights,
        .samples = f->k.train,
        .batch = f->k.batch,
        .every = f->k.validate_every,
        .epochs = f->k.epochs,
        .patience = f->k.patience,
        .rule = f->k.rule,
        .shuffles = fit_stream(&f->k, f->ctx->seed, "shuffle"),
    };
    if (f->k.lbfgs) return;
    optimiser_read(&f->options.adam, &f->options.schedule, f->ctx->point,
                   f->k.epochs * fit_loop_updates(&f->options));
}

/* A new fit for one choice. */
static enum err_code begin_choice(struct fit_job *f, size_t choice, struct err *err) {
    const struct rng init = fit_stream(&f->k, f->ctx->seed, "init");
    f->setup.choice = choice;
    f->state.epoch = f->saved.epoch = 0;
    f->written = 0;
    return fit_initial_weights(f->state.w, f->ctx, &f->setup, &init, err);
}

static enum err_code fit_job_init(struct fit_job *f, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *f = (struct fit_job){.ctx = ctx, .written_at = clock_now()};
    fit_keys_read(&f->k, ctx->point);
    TRY(job_model_open(&f->model, ctx, err));
    method_setup_read(&f->setup, ctx->point, &f->model.params);
    if (method_basis(&f->setup))
        TRY(job_model_basis_points(&f->T0, ctx->point, f->model.trained_points, err));
    f->weights = method_weights(&f->setup);
    f->choices = method_choices(&f->setup);
    set_options(f);
    TRY(create_fit_arrays(f, err));
    TRY(fit_prompts_draw(&f->prompts, &f->k, &f->setup, f->T0, ctx, err));
    f->k.size = f->prompts.size;
    TRY(create_data(f, err));
    TRY(begin_choice(f, 0, err));
cleanup:
    if (rc != ERR_OK) fit_job_release(f);
    return rc;
}

/* ---- checkpoints: the state after the last whole epoch, and the best choice before */

/* Entries of f->losses up to the last epoch of this choice; earlier choices have `epochs` each. */
static size_t losses_so_far(const struct fit_job *f, const struct fit_loop_state *s) {
    return f->setup.choice * (size_t)f->k.epochs + (size_t)s->epoch;
}

static enum err_code save(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    const struct fit_loop_state *s = &f->saved, *kept = &f->kept.state;
    const struct job_tensor tensors[] = {
        {"w", 1, {f->weights}, s->w},
        {"memory", 1, {fit_loop_memory(&f->options)}, s->memory},
        {"best", 1, {f->weights}, s->best},
        {"kept", 1, {f->weights}, kept->best},
        {"validation_losses", 1, {losses_so_far(f, s)}, f->losses},
        {"choice_losses", 1, {f->choices}, f->choice_losses},
    };
    if (f->ctx->group_rank != 0 || s->epoch == f->written) return ERR_OK;
    fit_state_print(&text, f->setup.choice, s);
    fit_state_print(&text, f->kept.choice, kept);
    text_add(&text, "%d", (int)f->kept.end);
    TRY(text_check(&text, err));
    TRY(job_checkpoint(f->ctx, text_str(&text), tensors, sizeof tensors / sizeof *tensors, err));
    f->written = s->epoch;
    f->written_at = clock_now();
cleanup:
    text_release(&text);
    return rc;
}

static bool read_states(struct fit_job *f, const char *text) {
    char *next;
    text = fit_state_read(&f->setup.choice, &f->state, text);
    text = fit_state_read(&f->kept.choice, &f->kept.state, text);
    f->kept.end = (enum fit_end)strtol(text, &next, 10);
    return *next == '\0' && f->state.epoch > 0 && f->state.epoch <= f->k.epochs &&
           f->setup.choice < f->choices && f->kept.choice < f->choices;
}

static enum err_code load(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *state = NULL;
    const struct job_tensor *tensors = NULL;
    struct fit_loop_state *s = &f->state;
    size_t n = 0;
    TRY(job_restore(f->ctx, &state, &tensors, &n, err));
    if (!state) return ERR_OK;
    CHECK(read_states(f, state), ERR_DATA, "checkpoint: unreadable state '%.60s'", state);
    const struct {
        const char *name;
        float *to;
        size_t size;
    } parts[] = {{"w", s->w, f->weights},
                 {"memory", s->memory, fit_loop_memory(&f->options)},
                 {"best", s->best, f->weights},
                 {"kept", f->kept.state.best, f->weights},
                 {"validation_losses", f->losses, losses_so_far(f, s)},
                 {"choice_losses", f->choice_losses, f->choices}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        TRY(job_copy_tensor(parts[i].to, tensors, n, parts[i].name, parts[i].size, err));
    fit_state_copy(&f->saved, s, f->weights, fit_loop_memory(&f->options));
    f->written = s->epoch;
cleanup:
    return rc;
}

/* ---- callbacks of the fit loop */

static enum err_code progress(struct fit_job *f, struct err *err) {
    const double held = (double)(f->k.prompts - f->k.train) / (double)f->k.batch;
    const double passes = (double)fit_loop_updates(&f->options) + held + 1;
    double part = fmin((double)f->passes / passes, 1);
    const double each = (double)f->k.epochs, before = (double)f->setup.choice * each;
    const double epochs = before + fmin((double)f->saved.epoch + part, each);
    const double all = fmax((double)f->choices * each, 1), loaded = fit_data_part(f->data);
    return job_progress(f->ctx, all * loaded + (1 - loaded) * fmin(epochs, all), all, err);
}

/* Checked at every pass; in a group every AGREE_EVERY passes, because agreeing takes messages. */
static enum err_code stop_if_asked(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    bool stop = false;
    if (f->ctx->group_size > 1 && f->passes % AGREE_EVERY != 0) return ERR_OK;
    TRY(job_agree_to_stop(f->ctx, &stop, err));
    if (!stop) return ERR_OK;
    TRY(save(f, err));
    rc = ERR(err, ERR_STOPPED, "stopped after epoch %lld", (long long)f->saved.epoch);
cleanup:
    return rc;
}

static enum err_code fit_gradient(void *context, double *loss, float *gradient, const float *w,
                                  const uint32_t *batch, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_job *f = context;
    TRY(stop_if_asked(f, err));
    fit_data_pass(f->loss, f->dw, f->data, w, batch, n, 1 / (double)n);
    TRY(job_reduce_real(f->ctx, f->loss, f->loss + shard_count(f), 1, f->k.shards, err));
    TRY(job_reduce(f->ctx, f->dw, f->scratch, f->weights, f->k.shards, err));
    *loss = f->loss[0];
    memcpy(gradient, f->dw, f->weights * sizeof *gradient);
    f->passes++;
    TRY(progress(f, err));
cleanup:
    return rc;
}

/* Mean loss over the validation prompts: passes of `batch` prompts, each shard summed on its own.
 */
static enum err_code fit_validate(void *context, double *loss, const float *w, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_job *f = context;
    size_t shards = shard_count(f), held = f->k.prompts - f->k.train;
    memset(f->sum, 0, shards * sizeof *f->sum);
    for (size_t first = f->k.train; first < f->k.prompts; first += f->k.batch) {
        size_t n = 0;
        for (; n < f->k.batch && first + n < f->k.prompts; n++) f->batch[n] = (uint32_t)(first + n);
        fit_data_pass(f->loss, NULL, f->data, w, f->batch, n, 1 / (double)held);
        for (size_t s = 0; s < shards; s++) f->sum[s] += f->loss[s];
        f->passes++;
        TRY(progress(f, err));
    }
    TRY(job_reduce_real(f->ctx, f->sum, f->sum + shards, 1, f->k.shards, err));
    *loss = f->sum[0];
cleanup:
    return rc;
}

static enum err_code fit_epoch(void *context, const struct fit_loop_state *state, struct err *err) {
    struct fit_job *f = context;
    f->losses[losses_so_far(f, state) - 1] = (float)state->validation_loss;
    fit_state_copy(&f->saved, state, f->weights, fit_loop_memory(&f->options));
    f->passes = 0;
    const bool due = clock_now() - f->written_at >= SAVE_EVERY;
    return due || state->epoch % f->k.checkpoint_every == 0 ? save(f, err) : ERR_OK;
}

/* ---- choices */

static void keep_if_best(struct fit_job *f) {
    struct fit_loop_state *kept = &f->kept.state;
    const struct fit_loop_state *s = &f->state;
    f->choice_losses[f->setup.choice] = (float)s->best_loss;
    if (f->setup.choice > 0 && !(s->best_loss < kept->best_loss)) return;
    float *const best = kept->best;
    f->kept = (struct fit_kept){f->setup.choice, *s, f->end};
    kept->best = best;
    memcpy(best, s->best, f->weights * sizeof *best);
}

/* Continues after the newest checkpoint, if there is one. */
static enum err_code fit_every_choice(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fit_loop_callbacks calls = {f, fit_gradient, fit_validate, fit_epoch};
    TRY(load(f, err));
    for (;;) {
        TRY(fit_loop_run(&f->state, &f->end, &f->options, &calls, f->gradient, f->order, err));
        keep_if_best(f);
        if (f->setup.choice + 1 == f->choices) break;
        TRY(begin_choice(f, f->setup.choice + 1, err));
    }
    f->setup.choice = f->kept.choice;
cleanup:
    return rc;
}

/* ---- results */

static const char *end_name(enum fit_end end) {
    if (end == FIT_CONVERGED) return "converged";
    return end == FIT_PATIENCE ? "patience" : "epochs";
}

static enum err_code write_learned_results(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fit_loop_state *s = &f->kept.state;
    const struct job_tensor losses = {"validation_losses",
                                      1,
                                      {(size_t)s->epoch},
                                      f->losses + f->kept.choice * (size_t)f->k.epochs};
    const struct fit_results r = {.setup = &f->setup,
                                  .points = f->k.points,
                                  .T0 = f->T0,
                                  .repeat = f->k.repeat,
                                  .epochs = s->epoch,
                                  .best_epoch = s->best_epoch,
                                  .train_loss = s->train_loss,
                                  .validation_loss = s->best_loss,
                                  .end = end_name(f->kept.end),
                                  .weights = s->best,
                                  .choice_losses = f->choice_losses,
                                  .mean = fit_data_mean(f->data)};
    TRY(fit_results_write(f->ctx, &r, err));
    if (s->epoch > 0) TRY(job_tensor(f->ctx, &losses, err));
cleanup:
    return rc;
}

static enum err_code learn(struct job_ctx *ctx, struct err *err) {
    struct fit_job f;
    enum err_code rc = fit_job_init(&f, ctx, err);
    if (rc != ERR_OK) return rc;
    TRY(fit_every_choice(&f, err));
    if (ctx->group_rank == 0) TRY(write_learned_results(&f, err));
cleanup:
    fit_job_release(&f);
    return rc;
}

enum err_code fit_stage_run(struct job_ctx *ctx, struct err *err) {
    const struct method *m = method_find(config_text(ctx->point, "method"));
    return method_learns(m) ? learn(ctx, err) : fit_derived(ctx, err);
}
