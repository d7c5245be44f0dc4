#include "stages/pretrain_validation.h"

#include <stdlib.h>
#include <string.h>

#include "stages/pretrain_source.h"

/* What the prompts of a shard are summed to: the weighted loss, and of text the counts. */
enum { LOSS, ANSWERS, CORRECT, QUERIES, PROMPTS, SUMS };

bool pretrain_validation_due(const struct pretrain_keys *k, int64_t step) {
    if (k->validate_every == 0) return false;
    return step == 1 || step % k->validate_every == 0 || step == k->steps;
}

static size_t shard_prompts(const struct pretrain_keys *k) { return k->batch / k->shards; }

enum err_code pretrain_validation_create(struct pretrain_validation *v,
                                         const struct pretrain_keys *k, const struct job_ctx *ctx,
                                         struct err *err) {
    enum err_code rc = ERR_OK;
    *v = (struct pretrain_validation){0};
    if (k->validate_every == 0) return ERR_OK;
    v->sums = calloc(SUMS * (k->shards + 2), sizeof *v->sums);
    CHECK(v->sums, ERR_MEMORY, "no memory for %zu losses", k->shards);
    TRY(pretrain_source_open(&v->source, k, ctx->point, ctx->seed, "pretrain/validation",
                             shard_prompts(k), err));
cleanup:
    if (rc != ERR_OK) pretrain_validation_destroy(v);
    return rc;
}

void pretrain_validation_destroy(struct pretrain_validation *v) {
    source_close(v->source);
    free(v->sums);
    *v = (struct pretrain_validation){0};
}

/* The losses of text are divided by their number in the end, which is not known before. */
static double weight_of(const struct pretrain_validation *v, const struct pretrain_keys *k) {
    const bool is_text = source_info(v->source)->answers != NULL;
    return is_text ? 1 : 1 / (double)(k->validation_prompts * k->points);
}

/* Adds to sums [SUMS] what prompts from `at` on of the shard add: at most as many prompts as a
 * shard of a batch has. */
static enum err_code add_piece(double *sums, const struct pretrain_validation *v,
                               const struct pretrain_keys *k, struct train_step *step,
                               const struct params *params, size_t shard, size_t at,
                               struct err *err) {
    const size_t begin = shard * k->validation_prompts / k->shards + at,
                 end = (shard + 1) * k->validation_prompts / k->shards;
    if (begin >= end) return ERR_OK;
    const size_t most = shard_prompts(k), n = end - begin < most ? end - begin : most;
    const struct prompt_view part = source_draw(v->source, begin, n);
    const enum err_code rc = pretrain_source_status(v->source, k, err);
    if (rc != ERR_OK) return rc;
    sums[LOSS] +=
        train_step_loss(step, params, &part, &source_info(v->source)->loss, weight_of(v, k));
    sums[ANSWERS] += (double)train_step_answers(&part);
    sums[CORRECT] += (double)step->text.score.correct;
    sums[QUERIES] += (double)step->text.score.queries;
    sums[PROMPTS] += (double)part.n;
    return ERR_OK;
}

static void fill_losses(struct pretrain_losses *out, const struct pretrain_validation *v) {
    const double *s = v->sums;
    *out = PRETRAIN_NO_LOSSES;
    if (source_info(v->source)->functions) {
        out->loss = s[LOSS];
        out->over_variance = s[LOSS] / source_info(v->source)->normaliser;
        return;
    }
    out->loss = s[LOSS] / s[ANSWERS];
    out->accuracy = s[CORRECT] / s[ANSWERS];
    out->query_accuracy = s[QUERIES] / s[PROMPTS];
}

enum err_code pretrain_validation_run(struct pretrain_losses *out,
                                      const struct pretrain_validation *v,
                                      const struct pretrain_keys *k, struct train_step *step,
                                      const struct params *params, struct job_ctx *ctx,
                                      int64_t done, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t first, count;
    bool stop = false;
    const size_t longest = (k->validation_prompts + k->shards - 1) / k->shards;
    job_shard_range(&first, &count, k->shards, ctx->group_rank, ctx->group_size);
    memset(v->sums, 0, SUMS * (count + 1) * sizeof *v->sums);
    for (size_t at = 0; at < longest; at += shard_prompts(k)) {
        TRY(job_agree_to_stop(ctx, &stop, err));
        if (stop) return ERR(err, ERR_STOPPED, "stopped after step %lld", (long long)done);
        for (size_t s = 0; s < count; s++)
            TRY(add_piece(v->sums + SUMS * s, v, k, step, params, first + s, at, err));
        TRY(job_progress(ctx, (double)done, (double)k->steps, err));
    }
    TRY(job_reduce_real(ctx, v->sums, v->sums + SUMS * (count > 0 ? count : 1), SUMS, k->shards,
                        err));
    fill_losses(out, v);
cleanup:
    return rc;
}
