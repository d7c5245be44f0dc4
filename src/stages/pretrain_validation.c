#include "stages/pretrain_validation.h"

#include <stdlib.h>
#include <string.h>

#include "sources/source_registry.h"

bool pretrain_validation_due(const struct pretrain_keys *k, int64_t step) {
    if (k->validate_every == 0) return false;
    return step == 1 || step % k->validate_every == 0 || step == k->steps;
}

static size_t shard_prompts(const struct pretrain_keys *k) { return k->batch / k->shards; }

enum err_code pretrain_validation_create(struct pretrain_validation *v,
                                         const struct pretrain_keys *k, const struct job_ctx *ctx,
                                         struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = ctx->seed, .split = "pretrain/validation"};
    *v = (struct pretrain_validation){0};
    if (k->validate_every == 0) return ERR_OK;
    v->sums = calloc(k->shards + 2, sizeof *v->sums);
    CHECK(v->sums, ERR_MEMORY, "no memory for %zu losses", k->shards);
    TRY(source_open(&v->source, ctx->point, &o, err));
    TRY(source_reserve(v->source, shard_prompts(k), k->points, err));
cleanup:
    if (rc != ERR_OK) pretrain_validation_destroy(v);
    return rc;
}

void pretrain_validation_destroy(struct pretrain_validation *v) {
    source_close(v->source);
    free(v->sums);
    *v = (struct pretrain_validation){0};
}

/* The part of the mean that prompts from `at` on of the shard add: at most as many prompts as a
 * shard of a batch has. */
static double piece_loss(const struct pretrain_validation *v, const struct pretrain_keys *k,
                         struct train_step *step, const struct params *params, size_t shard,
                         size_t at) {
    const size_t begin = shard * k->validation_prompts / k->shards + at,
                 end = (shard + 1) * k->validation_prompts / k->shards;
    if (begin >= end) return 0;
    const size_t most = shard_prompts(k), n = end - begin < most ? end - begin : most;
    const struct prompt_view part = source_draw(v->source, begin, n);
    return train_step_loss(step, params, &part, &source_info(v->source)->loss,
                           1 / (double)(k->validation_prompts * k->points));
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
    memset(v->sums, 0, (count + 1) * sizeof *v->sums);
    for (size_t at = 0; at < longest; at += shard_prompts(k)) {
        TRY(job_agree_to_stop(ctx, &stop, err));
        if (stop) return ERR(err, ERR_STOPPED, "stopped after step %lld", (long long)done);
        for (size_t s = 0; s < count; s++)
            v->sums[s] += piece_loss(v, k, step, params, first + s, at);
        TRY(job_progress(ctx, (double)done, (double)k->steps, err));
    }
    TRY(job_reduce_real(ctx, v->sums, v->sums + (count > 0 ? count : 1), 1, k->shards, err));
    out->loss = v->sums[0];
    out->over_variance = out->loss / source_info(v->source)->normaliser;
cleanup:
    return rc;
}
