#include "job/job.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "job/shard_sum.h"

enum err_code job_progress(struct job_ctx *ctx, double done, double total, struct err *err) {
    return ctx->host->progress(ctx, done, total, err);
}

bool job_should_stop(struct job_ctx *ctx) { return ctx->host->should_stop(ctx); }

enum err_code job_row(struct job_ctx *ctx, size_t number, const struct job_value *cells, size_t n,
                      struct err *err) {
    assert(ctx->group_rank == 0);
    const enum err_code rc = row_check(ctx->columns, cells, n, err);
    return rc != ERR_OK ? rc : ctx->host->row(ctx, number, cells, n, err);
}

enum err_code job_tensor(struct job_ctx *ctx, const struct job_tensor *t, struct err *err) {
    assert(ctx->group_rank == 0);
    return ctx->host->tensor(ctx, t, err);
}

enum err_code job_note(struct job_ctx *ctx, const char *key, const char *value, struct err *err) {
    assert(ctx->group_rank == 0);
    return ctx->host->note(ctx, key, value, err);
}

enum err_code job_checkpoint(struct job_ctx *ctx, const char *state,
                             const struct job_tensor *tensors, size_t n, struct err *err) {
    assert(ctx->group_rank == 0);
    return ctx->host->checkpoint(ctx, state, tensors, n, err);
}

/* On another node a rank may still see the folder as it was before: the ranks would then continue
 * from different weights without any error. */
static enum err_code check_restored(struct job_ctx *ctx, const char *state, struct err *err) {
    enum err_code rc = ERR_OK;
    uint64_t ours = state ? hash_name(state) : 0, first = ours;
    if (ctx->group_rank != 0) {
        TRY(ctx->host->receive(ctx, 0, &first, sizeof first, err));
        CHECK(first == ours, ERR_IO,
              "rank %d of the group sees another checkpoint than rank 0: the file system lags "
              "behind; run the command again in a minute",
              ctx->group_rank);
    } else {
        for (int rank = 1; rank < ctx->group_size; rank++)
            TRY(ctx->host->send(ctx, rank, &ours, sizeof ours, err));
    }
cleanup:
    return rc;
}

enum err_code job_restore(struct job_ctx *ctx, const char **state,
                          const struct job_tensor **tensors, size_t *n, struct err *err) {
    const enum err_code rc = ctx->host->restore(ctx, state, tensors, n, err);
    return rc == ERR_OK ? check_restored(ctx, *state, err) : rc;
}

const struct job_tensor *job_find_tensor(const struct job_tensor *tensors, size_t n,
                                         const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(tensors[i].name, name) == 0) return &tensors[i];
    return NULL;
}

enum err_code job_copy_tensor(float *out, const struct job_tensor *tensors, size_t n,
                              const char *name, size_t size, struct err *err) {
    const struct job_tensor *t = job_find_tensor(tensors, n, name);
    if (!t || t->rank != 1 || t->shape[0] != size)
        return ERR(err, ERR_DATA, "checkpoint: expected %zu numbers as '%s', found %s", size, name,
                   t ? "another size" : "none");
    memcpy(out, t->data, size * sizeof *out);
    return ERR_OK;
}

void job_shard_range(size_t *first, size_t *count, size_t shards, int rank, int size) {
    assert(size >= 1 && rank >= 0 && rank < size);
    size_t ranks = (size_t)size, r = (size_t)rank;
    size_t share = shards / ranks, extra = shards % ranks;
    *first = r * share + (r < extra ? r : extra);
    *count = share + (r < extra ? 1 : 0);
}

static void add_floats(void *y, const void *x, size_t n) {
    float *restrict a = y;
    const float *restrict b = x;
    for (size_t i = 0; i < n; i++) a[i] += b[i];
}

static void add_doubles(void *y, const void *x, size_t n) {
    double *restrict a = y;
    const double *restrict b = x;
    for (size_t i = 0; i < n; i++) a[i] += b[i];
}

static enum err_code journal_shards(struct job_ctx *ctx, size_t first, size_t count,
                                    struct err *err) {
    if (ctx->shards_told) return ERR_OK;
    ctx->shards_told = true;
    return ctx->host->shards(ctx, first, count, err);
}

static enum err_code reduce(struct job_ctx *ctx, const struct shard_sum *s, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t first, count;
    job_shard_range(&first, &count, s->shards, ctx->group_rank, ctx->group_size);
    TRY(journal_shards(ctx, first, count, err));
    TRY(shard_sum_run(ctx, s, err));
cleanup:
    return rc;
}

enum err_code job_reduce(struct job_ctx *ctx, float *sum, float *scratch, size_t n, size_t shards,
                         struct err *err) {
    const struct shard_sum s = {(char *)sum, (char *)scratch, n, sizeof *sum, shards, add_floats};
    return reduce(ctx, &s, err);
}

enum err_code job_reduce_real(struct job_ctx *ctx, double *sum, double *scratch, size_t n,
                              size_t shards, struct err *err) {
    const struct shard_sum s = {(char *)sum, (char *)scratch, n, sizeof *sum, shards, add_doubles};
    return reduce(ctx, &s, err);
}

enum err_code job_agree_to_stop(struct job_ctx *ctx, bool *stop, struct err *err) {
    enum err_code rc = ERR_OK;
    char answer = (char)job_should_stop(ctx);
    if (ctx->group_rank != 0) {
        TRY(ctx->host->receive(ctx, 0, &answer, 1, err));
    } else {
        for (int rank = 1; rank < ctx->group_size; rank++)
            TRY(ctx->host->send(ctx, rank, &answer, 1, err));
    }
    *stop = answer != 0;
cleanup:
    return rc;
}
