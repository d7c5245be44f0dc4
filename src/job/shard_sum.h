/*
 * shard_sum.h - the sum over shards behind job_reduce(): a fixed binary tree over shard numbers,
 * whichever rank does an addition.
 *
 * The tree pairs shards (0,1), (2,3), ..., then (0,2), (4,6), ..., left += right, number by number,
 * so any rank may do any number's additions.  Few numbers go to the owner of the left shard of each
 * pair.  Of many, every rank adds up one slice for all, and the slices are then exchanged: each
 * rank sends and receives about twice what it holds, all of them at once.
 */
#ifndef JOB_SHARD_SUM_H
#define JOB_SHARD_SUM_H

#include <stddef.h>

#include "base/err.h"
#include "job/job.h"

struct shard_sum {
    char *sum;       /* this rank's shards, one after the other; on return the total comes first */
    char *scratch;   /* room for the numbers of one shard */
    size_t n, width; /* numbers per shard, bytes per number */
    size_t shards;
    void (*add)(void *y, const void *x, size_t n);
};

/* Collective over the group of ctx. */
enum err_code shard_sum_run(struct job_ctx *ctx, const struct shard_sum *s, struct err *err);

#endif
