/*
 * job_host.h - implements the interface of a job (job/job.h) where it computes: in a compute child,
 * or in the program itself (--in-process).  Rows, progress and group messages go out through a
 * link; artifacts (tensors and notes) and checkpoints are written to the disk here.
 */
#ifndef PAR_JOB_HOST_H
#define PAR_JOB_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "job/context_cache.h"
#include "par/farm.h"
#include "par/inject.h"
#include "par/message.h"

struct job_host_link { /* to the supervisor, or to the coordinator in the same process */
    void *self;
    enum err_code (*post)(void *self, const struct message_head *head, const void *payload,
                          struct err *err);
    bool (*stopping)(void *self);
    enum err_code (*receive)(void *self, int from, void *data, size_t size, struct err *err);
};

struct job_host_order {
    const char *identity, *dir, *text;
    uint64_t serial;
    int group_rank, group_size;
    size_t memory, planned, context_bytes; /* as in struct message_order */
    const char *contexts;                  /* key, or "" */
    struct context_cache *cache;           /* of this process; NULL: none */
    enum inject_kind inject;
};

/* Computes the job and posts DONE, STOPPED, FAILED or FATAL. An error is one of the link. */
enum err_code job_host_compute(const struct job_host_order *order, const struct job_host_link *link,
                               farm_compute *compute, void *context, struct err *err);

#endif
