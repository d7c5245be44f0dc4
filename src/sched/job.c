#include "sched/job.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"

enum err_code job_progress(struct job_ctx *ctx, double done, double total, struct err *err) {
    return ctx->host->progress(ctx, done, total, err);
}

bool job_should_stop(struct job_ctx *ctx) { return ctx->host->should_stop(ctx); }

enum err_code job_row(struct job_ctx *ctx, size_t number, const struct job_value *cells, size_t n,
                      struct err *err) {
    assert(ctx->group_rank == 0);
    return ctx->host->row(ctx, number, cells, n, err);
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

/* On another node a rank may still see the folder as it was: then the weights of the ranks would
 * differ without a sign. */
static enum err_code check_restored(struct job_ctx *ctx, const char *state, struct err *err) {
    enum err_code rc = ERR_OK;
    uint64_t ours = state ? hash_name(state) : 0, first = ours;
    if (ctx->group_rank != 0) {
        TRY(ctx->host->receive(ctx, 0, &first, sizeof first, err));
        CHECK(first == ours, ERR_IO,
              "rank %d of the group sees another checkpoint than rank 0 does: the file system is "
              "behind, run it again in a minute",
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

void job_shard_range(size_t *first, size_t *count, size_t shards, int rank, int size) {
    assert(size >= 1 && rank >= 0 && rank < size);
    size_t ranks = (size_t)size, r = (size_t)rank;
    size_t share = shards / ranks, extra = shards % ranks;
    *first = r * share + (r < extra ? r : extra);
    *count = share + (r < extra ? 1 : 0);
}

static int shard_owner(size_t shard, size_t shards, int size) {
    size_t share = shards / (size_t)size, extra = shards % (size_t)size;
    size_t wide = extra * (share + 1); /* shards of the ranks that have one more */
    return (int)(shard < wide ? shard / (share + 1) : extra + (shard - wide) / share);
}

/* One reduction: the numbers of shard s of this rank start at sum + (s - first) * bytes. */
struct tree {
    char *sum, *scratch;
    size_t n, bytes, shards, first;
    void (*add)(void *y, const void *x, size_t n);
};

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

static char *shard_numbers(const struct tree *t, size_t shard) {
    return t->sum + (shard - t->first) * t->bytes;
}

/* left += right. Every rank walks the pairs in one order, so matching sends and receives meet. */
static enum err_code add_pair(struct job_ctx *ctx, const struct tree *t, size_t left, size_t right,
                              struct err *err) {
    int owner_left = shard_owner(left, t->shards, ctx->group_size);
    int owner_right = shard_owner(right, t->shards, ctx->group_size);
    if (owner_left != ctx->group_rank && owner_right != ctx->group_rank) return ERR_OK;
    if (owner_left == owner_right) {
        t->add(shard_numbers(t, left), shard_numbers(t, right), t->n);
        return ERR_OK;
    }
    if (owner_right == ctx->group_rank)
        return ctx->host->send(ctx, owner_left, shard_numbers(t, right), t->bytes, err);
    enum err_code rc = ctx->host->receive(ctx, owner_right, t->scratch, t->bytes, err);
    if (rc == ERR_OK) t->add(shard_numbers(t, left), t->scratch, t->n);
    return rc;
}

static enum err_code share_total(struct job_ctx *ctx, const struct tree *t, struct err *err) {
    enum err_code rc = ERR_OK;
    if (ctx->group_rank != 0) return ctx->host->receive(ctx, 0, t->sum, t->bytes, err);
    for (int rank = 1; rank < ctx->group_size && rc == ERR_OK; rank++)
        rc = ctx->host->send(ctx, rank, t->sum, t->bytes, err);
    return rc;
}

static enum err_code tell_shards(struct job_ctx *ctx, size_t first, size_t count, struct err *err) {
    if (ctx->shards_told) return ERR_OK;
    ctx->shards_told = true;
    return ctx->host->shards(ctx, first, count, err);
}

static enum err_code reduce(struct job_ctx *ctx, struct tree *t, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t count;
    assert(t->shards >= 1);
    job_shard_range(&t->first, &count, t->shards, ctx->group_rank, ctx->group_size);
    TRY(tell_shards(ctx, t->first, count, err));
    for (size_t step = 1; step < t->shards; step *= 2)
        for (size_t left = 0; left + step < t->shards; left += 2 * step)
            TRY(add_pair(ctx, t, left, left + step, err));
    TRY(share_total(ctx, t, err));
cleanup:
    return rc;
}

enum err_code job_reduce(struct job_ctx *ctx, float *sum, float *scratch, size_t n, size_t shards,
                         struct err *err) {
    struct tree t = {(char *)sum, (char *)scratch, n, n * sizeof *sum, shards, 0, add_floats};
    return reduce(ctx, &t, err);
}

enum err_code job_reduce_real(struct job_ctx *ctx, double *sum, double *scratch, size_t n,
                              size_t shards, struct err *err) {
    struct tree t = {(char *)sum, (char *)scratch, n, n * sizeof *sum, shards, 0, add_doubles};
    return reduce(ctx, &t, err);
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
