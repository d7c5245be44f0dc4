#include "job/shard_sum.h"

#include <assert.h>
#include <string.h>

enum { SLICE_LEAST = 1 << 16 }; /* bytes; smaller ones cost more messages than they save */

/* Example: 6 shards on 3 ranks, two per rank. The tree adds 0 += 1, 2 += 3, 4 += 5, then 0 += 2,
 * then 0 += 4. With few numbers each of these additions is done by the rank of its left shard. With
 * many, each rank first adds its own two shards; shards 0, 2 and 4 are now the roots. Each rank
 * then receives its third (slice) of the numbers of the other two roots, adds the three in the
 * order of the tree, and sends the sums of its slice to the others. */
struct tree_sum { /* one sum, from the view of one rank */
    const struct shard_sum *s;
    struct job_ctx *ctx;
    size_t first, count; /* its shards */
    size_t from, n;      /* numbers of its slice */
};

static size_t range(const struct tree_sum *w, int rank, size_t *count) {
    size_t first;
    job_shard_range(&first, count, w->s->shards, rank, w->ctx->group_size);
    return first;
}

static int owner_of(const struct tree_sum *w, size_t shard) {
    const size_t ranks = (size_t)w->ctx->group_size;
    const size_t share = w->s->shards / ranks, extra = w->s->shards % ranks;
    const size_t wide = extra * (share + 1); /* shards of the ranks that have one more */
    return (int)(shard < wide ? shard / (share + 1) : extra + (shard - wide) / share);
}

static char *numbers_of(const struct tree_sum *w, size_t shard) {
    return w->s->sum + (shard - w->first) * w->s->n * w->s->width;
}

/* ---------------------------------------------------------------- few numbers */

/* All ranks go through the pairs in the same order, so sends and receives match. */
static enum err_code add_pair(struct tree_sum *w, size_t left, size_t right, struct err *err) {
    const struct shard_sum *s = w->s;
    const struct job_host *host = w->ctx->host;
    const int to = owner_of(w, left), from = owner_of(w, right), me = w->ctx->group_rank;
    if (to != me && from != me) return ERR_OK;
    if (to == from) {
        s->add(numbers_of(w, left), numbers_of(w, right), s->n);
        return ERR_OK;
    }
    if (from == me) return host->send(w->ctx, to, numbers_of(w, right), s->n * s->width, err);
    const enum err_code rc = host->receive(w->ctx, from, s->scratch, s->n * s->width, err);
    if (rc == ERR_OK) s->add(numbers_of(w, left), s->scratch, s->n);
    return rc;
}

static enum err_code share_total(struct tree_sum *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct job_host *host = w->ctx->host;
    const size_t bytes = w->s->n * w->s->width;
    if (w->ctx->group_rank != 0) return host->receive(w->ctx, 0, w->s->sum, bytes, err);
    for (int rank = 1; rank < w->ctx->group_size && rc == ERR_OK; rank++)
        rc = host->send(w->ctx, rank, w->s->sum, bytes, err);
    return rc;
}

static enum err_code sum_whole(struct tree_sum *w, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t step = 1; step < w->s->shards; step *= 2)
        for (size_t left = 0; left + step < w->s->shards; left += 2 * step)
            TRY(add_pair(w, left, left + step, err));
    TRY(share_total(w, err));
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- many numbers, in slices */

/* The first number of a rank's slice. */
static size_t slice_start(const struct tree_sum *w, int rank) {
    return w->s->n * (size_t)rank / (size_t)w->ctx->group_size;
}

static size_t slice_bytes(const struct tree_sum *w, int rank) {
    return (slice_start(w, rank + 1) - slice_start(w, rank)) * w->s->width;
}

/* Whether all shards below the pair (left, left + step) in the tree are within first .. first +
 * count - 1. */
static bool is_local(const struct tree_sum *w, size_t left, size_t step, size_t first,
                     size_t count) {
    const size_t end = left + 2 * step < w->s->shards ? left + 2 * step : w->s->shards;
    return left >= first && end <= first + count;
}

/* A root is a shard whose partial sum is complete as far as its owner can add without other ranks:
 * the next addition to or from it involves another rank. */
static bool is_root(const struct tree_sum *w, size_t shard) {
    size_t count;
    if (shard == 0) return true;
    const size_t step = shard & (~shard + 1); /* it is added to shard - step */
    const size_t first = range(w, owner_of(w, shard), &count);
    return !is_local(w, shard - step, step, first, count);
}

/* Number of roots before `shard` that other ranks own: their slices are in the scratch in this
 * order. */
static size_t foreign_roots(const struct tree_sum *w, size_t shard) {
    size_t n = 0;
    for (size_t i = 0; i < shard; i++)
        if (is_root(w, i) && owner_of(w, i) != w->ctx->group_rank) n++;
    return n;
}

/* Where a root's numbers of this rank's slice are. */
static char *root_slice(const struct tree_sum *w, size_t shard) {
    if (owner_of(w, shard) == w->ctx->group_rank)
        return numbers_of(w, shard) + w->from * w->s->width;
    return w->s->scratch + foreign_roots(w, shard) * w->n * w->s->width;
}

static void add_local(struct tree_sum *w) {
    for (size_t step = 1; step < w->s->shards; step *= 2)
        for (size_t left = 0; left + step < w->s->shards; left += 2 * step)
            if (is_local(w, left, step, w->first, w->count))
                w->s->add(numbers_of(w, left), numbers_of(w, left + step), w->s->n);
}

static void add_slice(struct tree_sum *w) {
    for (size_t step = 1; step < w->s->shards; step *= 2)
        for (size_t left = 0; left + step < w->s->shards; left += 2 * step) {
            size_t count;
            const size_t first = range(w, owner_of(w, left), &count);
            if (!is_local(w, left, step, first, count))
                w->s->add(root_slice(w, left), root_slice(w, left + step), w->n);
        }
    if (owner_of(w, 0) != w->ctx->group_rank)
        memcpy(w->s->sum + w->from * w->s->width, w->s->scratch, w->n * w->s->width);
}

/* Sends, of each root of this rank, the numbers of another rank's slice. */
static enum err_code send_roots(struct tree_sum *w, int to, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t offset = slice_start(w, to) * w->s->width;
    for (size_t i = w->first; i < w->first + w->count; i++)
        if (is_root(w, i))
            TRY(w->ctx->host->send(w->ctx, to, numbers_of(w, i) + offset, slice_bytes(w, to), err));
cleanup:
    return rc;
}

static enum err_code receive_roots(struct tree_sum *w, int from, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t count;
    const size_t first = range(w, from, &count);
    for (size_t i = first; i < first + count; i++)
        if (is_root(w, i))
            TRY(w->ctx->host->receive(w->ctx, from, root_slice(w, i), w->n * w->s->width, err));
cleanup:
    return rc;
}

static enum err_code exchange_totals(struct tree_sum *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const int me = w->ctx->group_rank, size = w->ctx->group_size;
    char *sum = w->s->sum;
    for (int k = 1; k < size; k++)
        TRY(w->ctx->host->send(w->ctx, (me + k) % size, sum + w->from * w->s->width,
                               w->n * w->s->width, err));
    for (int k = size - 1; k > 0; k--) {
        const int from = (me + k) % size;
        TRY(w->ctx->host->receive(w->ctx, from, sum + slice_start(w, from) * w->s->width,
                                  slice_bytes(w, from), err));
    }
cleanup:
    return rc;
}

static enum err_code sum_slices(struct tree_sum *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const int me = w->ctx->group_rank, size = w->ctx->group_size;
    add_local(w);
    for (int k = 1; k < size; k++) TRY(send_roots(w, (me + k) % size, err));
    for (int k = size - 1; k > 0; k--) TRY(receive_roots(w, (me + k) % size, err));
    add_slice(w);
    TRY(exchange_totals(w, err));
cleanup:
    return rc;
}

/* Whether slices are long enough to be worth the messages, and those of all other ranks fit into
 * the scratch, which is the case if no rank has more than one root, as with powers of two. Every
 * rank gets the same answer. */
static bool use_slices(const struct tree_sum *w) {
    const size_t size = (size_t)w->ctx->group_size, least = w->s->n / size;
    size_t roots = 0;
    for (size_t i = 0; i < w->s->shards; i++) roots += is_root(w, i);
    return size > 1 && least * w->s->width >= SLICE_LEAST && least >= size && roots <= size;
}

enum err_code shard_sum_run(struct job_ctx *ctx, const struct shard_sum *s, struct err *err) {
    struct tree_sum w = {.s = s, .ctx = ctx};
    assert(s->shards >= 1);
    w.first = range(&w, ctx->group_rank, &w.count);
    w.from = slice_start(&w, ctx->group_rank);
    w.n = slice_start(&w, ctx->group_rank + 1) - w.from;
    return use_slices(&w) ? sum_slices(&w, err) : sum_whole(&w, err);
}
