/*
 * In each step every rank of the group draws the same batch and computes its own shards; gradients
 * are summed in shard order, and every rank makes the same update. Only gradients, losses and
 * requests to stop are exchanged.
 */
#include "stages/pretrain_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/checkpoint.h"
#include "model/model_products.h"
#include "passes/train_step.h"
#include "sources/source_registry.h"
#include "stages/job_model.h"
#include "stages/model_shape.h"
#include "stages/pretrain_rows.h"
#include "stages/pretrain_source.h"
#include "stages/pretrain_validation.h"

/* What the shards of a step are summed to. */
enum {
    LOSS,
    STOP,
    CORRECT,
    QUERIES,
    SUMS
};                                      /* STOP: ranks that were asked to stop; then the counts
                                           of struct train_score */
static const double SAVE_EVERY = 300.0; /* seconds between checkpoints at most, whatever
                                           checkpoint_every is */

struct pretrain {
    struct job_ctx *ctx;
    struct pretrain_keys k;
    struct params params, gradient;
    struct train_step step;
    struct source *source; /* draws a batch */
    struct pretrain_validation validation;
    size_t n, first, count;       /* floats of the parameters; first and number of own shards */
    float *m, *v, *sum, *scratch; /* [n], [n], [max(count, 1), n], [n] */
    double *loss;                 /* [max(count, 1) + 1, SUMS]: the last is scratch */
    int64_t done, saved;          /* steps done; steps of the newest checkpoint */
    double saved_at;              /* clock_now() of it */
    bool stop;                    /* in the last step some rank of the group was asked to stop */
    double early[PRETRAIN_EARLY]; /* losses of steps 1 .. 100 */
    struct arena memory;
};

static void lay_out_sums(struct pretrain *p) {
    size_t rows = p->count > 0 ? p->count : 1;
    p->m = arena_floats(&p->memory, p->n);
    p->v = arena_floats(&p->memory, p->n);
    p->scratch = arena_floats(&p->memory, p->n);
    p->sum = arena_floats(&p->memory, rows * p->n);
}

static void pretrain_release(struct pretrain *p) {
    params_destroy(&p->params);
    params_destroy(&p->gradient);
    train_step_destroy(&p->step);
    source_close(p->source);
    pretrain_validation_destroy(&p->validation);
    arena_release(&p->memory);
    free(p->loss);
}

/* Streams are named after the repeat, so that each has its own weights and prompts. */
static enum err_code open_source(struct pretrain *p, struct err *err) {
    char split[32];
    (void)snprintf(split, sizeof split, "pretrain/%lld", (long long)p->k.repeat);
    return pretrain_source_open(&p->source, &p->k, p->ctx->point, p->ctx->seed, split, p->k.batch,
                                err);
}

static void init_weights(struct pretrain *p) {
    char name[64];
    (void)snprintf(name, sizeof name, "pretrain/init/%lld", (long long)p->k.repeat);
    params_init(&p->params, p->ctx->seed ^ hash_name(name));
}

static enum err_code pretrain_init(struct pretrain *p, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *p = (struct pretrain){.ctx = ctx, .saved_at = clock_now()};
    TRY(pretrain_keys_read(&p->k, ctx->point, err));
    const struct pretrain_keys *k = &p->k;
    job_shard_range(&p->first, &p->count, k->shards, ctx->group_rank, ctx->group_size);
    p->n = params_count(&k->dims);
    p->loss = calloc(SUMS * (p->count + 2), sizeof *p->loss);
    CHECK(p->loss, ERR_MEMORY, "no memory for %zu losses", p->count + 2);
    lay_out_sums(p);
    TRY(arena_commit(&p->memory, err));
    lay_out_sums(p);
    TRY(params_create(&p->params, &k->dims, err));
    TRY(params_create(&p->gradient, &k->dims, err));
    TRY(train_step_create(&p->step, &k->dims, k->batch / k->shards, k->points, err));
    TRY(open_source(p, err));
    TRY(pretrain_validation_create(&p->validation, k, ctx, err));
    init_weights(p);
    TRY(job_model_use_arithmetic(&p->params, ctx, true, err));
cleanup:
    if (rc != ERR_OK) pretrain_release(p);
    return rc;
}

/* ---- one step */

/* A batch of text has fewer prompts where some were too long, so its shards are not all equal. */
static struct prompt_view shard_of(const struct pretrain *p, const struct prompt_view *batch,
                                   size_t shard) {
    const size_t first = batch->n * shard / p->k.shards;
    return prompt_view_part(batch, first, batch->n * (shard + 1) / p->k.shards - first);
}

/* Gradient, loss and counts of each shard of this rank, into sum and loss. */
static void compute_shards(struct pretrain *p, const struct prompt_view *batch) {
    const double weight = 1 / (double)train_step_answers(batch);
    for (size_t i = 0; i < p->count; i++) {
        const struct prompt_view part = shard_of(p, batch, p->first + i);
        double *loss = p->loss + SUMS * i;
        memset(p->gradient.block, 0, p->n * sizeof *p->gradient.block);
        loss[STOP] = 0;
        loss[LOSS] = train_step_run(&p->gradient, &p->step, &p->params, &part,
                                    &source_info(p->source)->loss, weight);
        loss[CORRECT] = (double)p->step.text.score.correct;
        loss[QUERIES] = (double)p->step.text.score.queries;
        memcpy(p->sum + i * p->n, p->gradient.block, p->n * sizeof *p->sum);
    }
}

/* What is measured of functions alone, or of text alone, has no value for the other. */
static void describe_step(struct pretrain_row *row, const struct pretrain *p, int64_t step,
                          const struct prompt_view *batch) {
    row->points = (int64_t)pretrain_active_points(&p->k, step);
    if (source_info(p->source)->functions) {
        const size_t dims = pretrain_active_dims(&p->k, step);
        row->dims = (int64_t)dims;
        row->loss_over_variance = p->loss[LOSS] / source_normaliser_active(p->source, dims);
        row->accuracy = row->query_accuracy = (double)NAN;
        return;
    }
    row->dims = JOB_NO_INT;
    row->loss_over_variance = (double)NAN;
    row->accuracy = p->loss[CORRECT] / (double)train_step_answers(batch);
    row->query_accuracy = p->loss[QUERIES] / (double)batch->n;
}

static enum err_code write_row(struct pretrain *p, int64_t step, double lr,
                               const struct prompt_view *batch, const struct pretrain_losses *held,
                               struct err *err) {
    int64_t number = pretrain_row_number(&p->k, step);
    if (number < 0 || p->ctx->group_rank != 0) return ERR_OK;
    struct pretrain_row row = {
        .step = step,
        .loss = p->loss[LOSS],
        .lr = lr,
        .validation_loss = held->loss,
        .validation_over_variance = held->over_variance,
        .validation_accuracy = held->accuracy,
        .validation_query_accuracy = held->query_accuracy,
    };
    describe_step(&row, p, step, batch);
    return pretrain_row_write(p->ctx, (size_t)number, &row, err);
}

/* Before the update, so that it is of the same weights as the loss of the step. */
static enum err_code validate(struct pretrain *p, struct pretrain_losses *out, int64_t step,
                              struct err *err) {
    *out = PRETRAIN_NO_LOSSES;
    if (!pretrain_validation_due(&p->k, step)) return ERR_OK;
    return pretrain_validation_run(out, &p->validation, &p->k, &p->step, &p->params, p->ctx,
                                   p->done, err);
}

/* Sums of all shards of the group. */
static enum err_code reduce(struct pretrain *p, int64_t step, struct err *err) {
    enum err_code rc = ERR_OK;
    if (p->ctx->group_size > 1 && job_should_stop(p->ctx)) p->loss[STOP] = 1;
    TRY(job_reduce_real(p->ctx, p->loss, p->loss + SUMS * (p->count + 1), SUMS, p->k.shards, err));
    TRY(job_reduce(p->ctx, p->sum, p->scratch, p->n, p->k.shards, err));
    CHECK(isfinite(p->loss[LOSS]), ERR_NUMERIC, "step %lld: the loss is %g: %s", (long long)step,
          text_nan(p->loss[LOSS]),
          p->k.adam.epsilon > 0 ? "lower optimiser.lr or lengthen optimiser.warmup"
                                : ADAM_WITHOUT_EPSILON);
cleanup:
    return rc;
}

static enum err_code take_step(struct pretrain *p, struct err *err) {
    enum err_code rc = ERR_OK;
    int64_t step = p->done + 1;
    double lr = schedule_lr(&p->k.schedule, step);
    struct pretrain_losses held;
    struct prompt_view batch;
    TRY(validate(p, &held, step, err));
    TRY(pretrain_source_draw(&batch, p->source, &p->k, step, err));
    compute_shards(p, &batch);
    TRY(reduce(p, step, err));
    adam_step(p->params.block, p->m, p->v, p->sum, p->n, &p->k.adam, (float)lr, step);
    TRY(model_products_refresh(&p->params, err));
    p->done = step;
    p->stop = p->loss[STOP] > 0;
    if (step <= PRETRAIN_EARLY) p->early[step - 1] = p->loss[LOSS];
    TRY(write_row(p, step, lr, &batch, &held, err));
cleanup:
    return rc;
}

/* ---- checkpoints: "STEP LOSSES loss_1 loss_2 ...", and the three blocks */

static enum err_code save(struct pretrain *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text state = {0};
    int64_t early = p->done < PRETRAIN_EARLY ? p->done : PRETRAIN_EARLY;
    const struct job_tensor tensors[] = {
        {"params", 1, {p->n}, p->params.block}, {"m", 1, {p->n}, p->m}, {"v", 1, {p->n}, p->v}};
    if (p->ctx->group_rank != 0 || p->done == p->saved) return ERR_OK;
    text_add(&state, "%lld %lld", (long long)p->done, (long long)early);
    for (int64_t i = 0; i < early; i++) text_add(&state, " %a", p->early[i]);
    TRY(text_check(&state, err));
    TRY(job_checkpoint(p->ctx, text_str(&state), tensors, 3, err));
    p->saved = p->done;
    p->saved_at = clock_now();
cleanup:
    text_release(&state);
    return rc;
}

static bool read_state(struct pretrain *p, const char *state) {
    char *next;
    long long done = strtoll(state, &next, 10), early = strtoll(next, &next, 10);
    if (done < 0 || done > p->k.steps || early < 0 || early > PRETRAIN_EARLY) return false;
    for (long long i = 0; i < early; i++) p->early[i] = strtod(next, &next);
    p->done = p->saved = done;
    return *next == '\0';
}

static enum err_code load(struct pretrain *p, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *state = NULL;
    const struct job_tensor *tensors = NULL;
    size_t n = 0;
    TRY(job_restore(p->ctx, &state, &tensors, &n, err));
    if (!state) return ERR_OK;
    CHECK(read_state(p, state), ERR_DATA, "checkpoint: unreadable state '%.60s'", state);
    TRY(job_copy_tensor(p->params.block, tensors, n, "params", p->n, err));
    TRY(model_products_refresh(&p->params, err));
    TRY(job_copy_tensor(p->m, tensors, n, "m", p->n, err));
    TRY(job_copy_tensor(p->v, tensors, n, "v", p->n, err));
cleanup:
    return rc;
}

/* ---- results */

static enum err_code write_tensors(struct pretrain *p, struct err *err) {
    struct param_info info;
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < params_tensors(&p->k.dims) && rc == ERR_OK; i++) {
        params_at(&info, &p->params, i);
        struct job_tensor t = {info.name, info.rank, {info.shape[0], info.shape[1]}, info.data};
        rc = job_tensor(p->ctx, &t, err);
    }
    return rc;
}

/* What a file needs besides its tensors: a language model its config.json. */
static enum err_code write_shape(struct pretrain *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    struct model_note notes[MODEL_NOTES];
    if (source_info(p->source)->functions) {
        const size_t n = model_describe(notes, &p->k.dims, p->k.points);
        for (size_t i = 0; i < n; i++) TRY(job_note(p->ctx, notes[i].key, notes[i].value, err));
        return ERR_OK;
    }
    TRY(model_shape_config(&text, p->ctx->point, err));
    TRY(job_note(p->ctx, PRETRAIN_CONFIG_NOTE, text_str(&text), err));
    text_clear(&text);
    text_add(&text, "%zu", p->k.points);
    TRY(job_note(p->ctx, "trained_points", text_str(&text), err));
cleanup:
    text_release(&text);
    return rc;
}

static enum err_code write_notes(struct pretrain *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    TRY(write_shape(p, err));
    config_point_identity(&text, p->ctx->point);
    TRY(text_check(&text, err));
    TRY(job_note(p->ctx, "config", text_str(&text), err));
    text_clear(&text);
    text_add(&text, "%llu", (unsigned long long)p->ctx->seed);
    TRY(job_note(p->ctx, "seed", text_str(&text), err));
    text_clear(&text);
    for (int64_t i = 0; i < PRETRAIN_EARLY && i < p->k.steps; i++)
        text_add(&text, "%s%.9g", i == 0 ? "[" : ", ", p->early[i]);
    text_add(&text, "]");
    TRY(text_check(&text, err));
    TRY(job_note(p->ctx, "losses_1_100", text_str(&text), err));
cleanup:
    text_release(&text);
    return rc;
}

/* All ranks of a group stop after the same step: the one whose sum of losses carried the
 * request. */
static bool stop_asked(struct pretrain *p) {
    return p->ctx->group_size > 1 ? p->stop : job_should_stop(p->ctx);
}

static bool is_due(const struct pretrain *p) {
    return p->done < p->k.steps &&
           (p->done % p->k.checkpoint_every == 0 || clock_now() - p->saved_at >= SAVE_EVERY);
}

static enum err_code save_and_stop(struct pretrain *p, struct err *err) {
    const enum err_code rc = save(p, err);
    if (rc != ERR_OK) return rc;
    return ERR(err, ERR_STOPPED, "stopped after step %lld", (long long)p->done);
}

static enum err_code run_steps(struct pretrain *p, struct err *err) {
    enum err_code rc = ERR_OK;
    while (p->done < p->k.steps) {
        if (stop_asked(p)) return save_and_stop(p, err);
        rc = take_step(p, err);
        if (rc == ERR_STOPPED) return save_and_stop(p, err);
        TRY(rc);
        TRY(job_progress(p->ctx, (double)p->done, (double)p->k.steps, err));
        if (is_due(p)) TRY(save(p, err));
    }
cleanup:
    return rc;
}

enum err_code pretrain_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct pretrain p;
    TRY(pretrain_init(&p, ctx, err));
    rc = load(&p, err);
    if (rc == ERR_OK) rc = run_steps(&p, err);
    if (rc == ERR_OK && ctx->group_rank == 0) rc = write_tensors(&p, err);
    if (rc == ERR_OK && ctx->group_rank == 0) rc = write_notes(&p, err);
    pretrain_release(&p);
cleanup:
    return rc;
}
