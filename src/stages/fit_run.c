/*
 * Prompts, contexts and basis are made once; then every update is one pass of the query stream over
 * a mini-batch.  In a group each rank holds the contexts of its shards and only losses and the few
 * gradients are summed.
 */
#include "stages/fit_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "optim/options.h"
#include "problems/prompts.h"

enum { AGREE_EVERY = 8 };
static const double SAVE_EVERY = 300.0; /* seconds at most, whatever checkpoint_every says */

struct fit_job {
    struct job_ctx *ctx;
    struct fit_keys k;
    struct model model;
    struct method_setup setup;
    struct prompts prompts;
    struct fit_data *data;
    struct fit_options options;
    struct fit_state state, saved; /* the running one; the one after the last whole epoch */
    int64_t written;               /* epochs of the newest checkpoint */
    double written_at;             /* clock_now() */
    enum fit_end end;
    size_t T0, weights, passes;
    float *gradient, *dw, *scratch; /* [weights], [max(count, 1), weights], [weights] */
    double *loss, *sum;             /* [max(count, 1) + 1]: the last is scratch */
    uint32_t *order, *batch;        /* [train], [batch] */
    float *losses;                  /* [epochs] of validation */
    struct arena memory;
};

static size_t shard_count(const struct fit_job *f) {
    size_t first, count;
    job_shard_range(&first, &count, f->k.shards, f->ctx->group_rank, f->ctx->group_size);
    return count > 0 ? count : 1;
}

static void lay_out_state(struct fit_state *s, struct arena *a, size_t n) {
    s->w = arena_floats(a, n);
    s->m = arena_floats(a, n);
    s->v = arena_floats(a, n);
    s->best = arena_floats(a, n);
}

static void lay_out(struct fit_job *f) {
    lay_out_state(&f->state, &f->memory, f->weights);
    lay_out_state(&f->saved, &f->memory, f->weights);
    f->gradient = arena_floats(&f->memory, f->weights);
    f->scratch = arena_floats(&f->memory, f->weights);
    f->dw = arena_floats(&f->memory, f->weights * shard_count(f));
    f->losses = arena_floats(&f->memory, (size_t)f->k.epochs);
}

static enum err_code create_arrays(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    f->weights = f->setup.method->weights(&f->setup);
    f->loss = calloc(2 * (shard_count(f) + 1), sizeof *f->loss);
    f->order = calloc(f->k.train + f->k.batch, sizeof *f->order);
    CHECK(f->loss && f->order, ERR_MEMORY, "no memory for the order of %zu prompts", f->k.train);
    f->sum = f->loss + shard_count(f) + 1;
    f->batch = f->order + f->k.train;
    lay_out(f);
    TRY(arena_commit(&f->memory, err));
    lay_out(f);
cleanup:
    return rc;
}

static void fit_job_release(struct fit_job *f) {
    fit_data_destroy(f->data);
    prompts_destroy(&f->prompts);
    model_close(&f->model);
    arena_release(&f->memory);
    free(f->order);
    free(f->loss);
}

static enum err_code draw_prompts(struct fit_job *f, struct err *err) {
    struct prompt_source source = {.seed = f->ctx->seed};
    problem_setup_read(&source.setup, f->ctx->point);
    (void)snprintf(source.split, sizeof source.split, "fit/%lld", (long long)f->k.repeat);
    enum err_code rc = prompts_create(&f->prompts, &source.setup, f->k.prompts, f->k.points, err);
    if (rc == ERR_OK) prompts_draw(&f->prompts, &source, 0, source.setup.dims);
    return rc;
}

/* What remains of the budget when everything that must be there is there goes to contexts. */
static enum err_code create_data(struct fit_job *f, struct err *err) {
    struct fit_data_options o;
    const struct model_dims *d = &f->model.params.dims;
    fit_keys_data(&o, &f->k, &f->setup, f->T0);
    size_t needed = fit_data_bytes(&o, d, shard_count(f)) + params_count(d) * sizeof(float) +
                    o.prompts.n * o.prompts.points * (o.prompts.dims + 1) * sizeof(float);
    o.memory = f->ctx->memory > needed ? f->ctx->memory - needed : 0;
    o.prompts.x = f->prompts.x;
    o.prompts.y = f->prompts.y;
    return fit_data_create(&f->data, &o, f->ctx, err);
}

static struct rng stream_of(const struct fit_job *f, const char *purpose) {
    char name[64];
    (void)snprintf(name, sizeof name, "fit/%lld/%s", (long long)f->k.repeat, purpose);
    return rng_stream(f->ctx->seed, name);
}

static void set_options(struct fit_job *f) {
    int64_t updates = (int64_t)((f->k.train + f->k.batch - 1) / f->k.batch);
    f->options = (struct fit_options){
        .weights = f->weights,
        .samples = f->k.train,
        .batch = f->k.batch,
        .epochs = f->k.epochs,
        .patience = f->k.patience,
        .rule = f->k.rule,
        .shuffles = stream_of(f, "shuffle"),
    };
    optimiser_read(&f->options.adam, &f->options.schedule, f->ctx->point, f->k.epochs * updates);
}

static enum err_code fit_job_init(struct fit_job *f, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *f = (struct fit_job){.ctx = ctx, .written_at = clock_now()};
    fit_keys_read(&f->k, ctx->point);
    TRY(origin_open(&f->model, ctx, err));
    method_setup_read(&f->setup, ctx->point, &f->model.params);
    if (method_basis(&f->setup))
        TRY(origin_basis_points(&f->T0, ctx->point, f->model.trained_points, err));
    TRY(create_arrays(f, err));
    TRY(draw_prompts(f, err));
    TRY(create_data(f, err));
    set_options(f);
    const struct rng init = stream_of(f, "init");
    f->setup.method->init(f->state.w, &f->setup, &init);
cleanup:
    if (rc != ERR_OK) fit_job_release(f);
    return rc;
}

/* ---- checkpoints: the state after the last whole epoch */

static void copy_state(struct fit_state *to, const struct fit_state *from, size_t n) {
    struct fit_state numbers = *from;
    numbers.w = to->w, numbers.m = to->m, numbers.v = to->v, numbers.best = to->best;
    *to = numbers;
    memcpy(to->w, from->w, n * sizeof *to->w);
    memcpy(to->m, from->m, n * sizeof *to->m);
    memcpy(to->v, from->v, n * sizeof *to->v);
    memcpy(to->best, from->best, n * sizeof *to->best);
}

static enum err_code save(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    const struct fit_state *s = &f->saved;
    const struct job_tensor tensors[] = {
        {"w", 1, {f->weights}, s->w},
        {"m", 1, {f->weights}, s->m},
        {"v", 1, {f->weights}, s->v},
        {"best", 1, {f->weights}, s->best},
        {"validation_losses", 1, {(size_t)s->epoch}, f->losses},
    };
    if (f->ctx->group_rank != 0 || s->epoch == f->written) return ERR_OK;
    text_add(&text, "%lld %lld %lld %lld %a %a %a", (long long)s->epoch, (long long)s->steps,
             (long long)s->best_epoch, (long long)s->bad_epochs, s->best_loss, s->train_loss,
             s->validation_loss);
    TRY(text_check(&text, err));
    TRY(job_checkpoint(f->ctx, text_str(&text), tensors, sizeof tensors / sizeof *tensors, err));
    f->written = s->epoch;
    f->written_at = clock_now();
cleanup:
    text_release(&text);
    return rc;
}

static bool read_state(struct fit_state *s, const char *state) {
    char *next;
    s->epoch = strtoll(state, &next, 10);
    s->steps = strtoll(next, &next, 10);
    s->best_epoch = strtoll(next, &next, 10);
    s->bad_epochs = strtoll(next, &next, 10);
    s->best_loss = strtod(next, &next);
    s->train_loss = strtod(next, &next);
    s->validation_loss = strtod(next, &next);
    return *next == '\0' && s->epoch > 0;
}

static enum err_code load(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *state = NULL;
    const struct job_tensor *tensors = NULL;
    struct fit_state *s = &f->state;
    size_t n = 0;
    TRY(job_restore(f->ctx, &state, &tensors, &n, err));
    if (!state) return ERR_OK;
    CHECK(read_state(s, state) && s->epoch <= f->k.epochs, ERR_DATA,
          "checkpoint: unreadable state '%.60s'", state);
    const struct {
        const char *name;
        float *to;
        size_t size;
    } parts[] = {{"w", s->w, f->weights},
                 {"m", s->m, f->weights},
                 {"v", s->v, f->weights},
                 {"best", s->best, f->weights},
                 {"validation_losses", f->losses, (size_t)s->epoch}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct job_tensor *t = job_find_tensor(tensors, n, parts[i].name);
        CHECK(t && t->rank == 1 && t->shape[0] == parts[i].size, ERR_DATA,
              "checkpoint: expected %zu numbers as '%s'", parts[i].size, parts[i].name);
        memcpy(parts[i].to, t->data, parts[i].size * sizeof(float));
    }
    copy_state(&f->saved, s, f->weights);
    f->written = s->epoch;
cleanup:
    return rc;
}

/* ---- callbacks of the fit loop */

static enum err_code progress(struct fit_job *f, struct err *err) {
    double passes = (double)(f->k.prompts + f->k.batch - 1) / (double)f->k.batch + 1;
    double part = fmin((double)f->passes / passes, 1);
    double total = (double)f->k.epochs;
    return job_progress(f->ctx, fmin((double)f->saved.epoch + part, total), total, err);
}

/* Asked at every pass, in a group every few: the answer there is a message. */
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

/* Mean loss over the validation prompts, in passes of `batch`, summed shard by shard. */
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

static enum err_code fit_epoch(void *context, const struct fit_state *state, struct err *err) {
    struct fit_job *f = context;
    f->losses[state->epoch - 1] = (float)state->validation_loss;
    copy_state(&f->saved, state, f->weights);
    f->passes = 0;
    const bool due = clock_now() - f->written_at >= SAVE_EVERY;
    return due || state->epoch % f->k.checkpoint_every == 0 ? save(f, err) : ERR_OK;
}

/* ---- results */

static enum err_code write_row(struct fit_job *f, struct err *err) {
    const struct fit_state *s = &f->state;
    double norm = 0;
    for (size_t i = 0; i < f->weights; i++) norm += (double)s->best[i] * (double)s->best[i];
    const struct job_value cells[] = {
        {JOB_TEXT, {.text = f->setup.method->name}},
        {JOB_TEXT, {.text = method_variant(&f->setup)}},
        {JOB_INT, {.integer = (int64_t)f->k.points}},
        {JOB_INT, {.integer = (int64_t)f->T0}},
        {JOB_INT, {.integer = f->k.repeat}},
        {JOB_INT, {.integer = s->epoch}},
        {JOB_INT, {.integer = s->best_epoch}},
        {JOB_REAL, {.real = s->train_loss}},
        {JOB_REAL, {.real = s->best_loss}},
        {JOB_REAL, {.real = sqrt(norm)}},
        {JOB_TEXT, {.text = f->end == FIT_PATIENCE ? "patience" : "epochs"}},
    };
    return job_row(f->ctx, 0, cells, sizeof cells / sizeof *cells, err);
}

static enum err_code write_mean(struct job_ctx *ctx, const struct basis_set *mean,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const struct job_tensor t = {
            BASIS_NAMES[p], 2, {basis_blocks(p, &mean->dims), mean->dims.E}, mean->part[p]};
        if (t.data) TRY(job_tensor(ctx, &t, err));
    }
cleanup:
    return rc;
}

static enum err_code write_tensors(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct basis_set *mean = fit_data_mean(f->data);
    struct job_tensor weights = {.name = "weights", .rank = 2, .data = f->state.best};
    f->setup.method->weights_shape(weights.shape, &f->setup);
    const struct job_tensor losses = {"validation_losses", 1, {(size_t)f->state.epoch}, f->losses};
    TRY(job_tensor(f->ctx, &weights, err));
    TRY(job_tensor(f->ctx, &losses, err));
    if (mean) TRY(write_mean(f->ctx, mean, err));
cleanup:
    return rc;
}

static enum err_code write_results(struct fit_job *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text config = {0};
    config_point_identity(&config, f->ctx->point);
    TRY(text_check(&config, err));
    TRY(write_row(f, err));
    TRY(write_tensors(f, err));
    TRY(job_note(f->ctx, "method", f->setup.method->name, err));
    TRY(job_note(f->ctx, "config", text_str(&config), err));
cleanup:
    text_release(&config);
    return rc;
}

enum err_code fit_stage_run(struct job_ctx *ctx, struct err *err) {
    struct fit_job f;
    enum err_code rc = fit_job_init(&f, ctx, err);
    if (rc != ERR_OK) return rc;
    const struct fit_callbacks calls = {&f, fit_gradient, fit_validate, fit_epoch};
    TRY(load(&f, err));
    TRY(fit_run(&f.state, &f.end, &f.options, &calls, f.gradient, f.order, err));
    if (ctx->group_rank == 0) TRY(write_results(&f, err));
cleanup:
    fit_job_release(&f);
    return rc;
}
