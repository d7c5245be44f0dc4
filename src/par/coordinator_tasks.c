/* Begin, failure and end of a task: one job that a group of ranks is running. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "par/coordinator.h"

struct task *coordinator_find_task(struct coordinator *c, uint64_t serial) {
    for (int i = 0; serial && i < c->par->size; i++)
        if (c->tasks[i].serial == serial) return &c->tasks[i];
    return NULL;
}

static void free_task(struct coordinator *c, struct task *t) {
    free(t->ranks);
    free(t->shards);
    *t = (struct task){0};
    c->n_running--;
}

static int first_idle(const struct coordinator *c) {
    int rank = 0;
    while (!c->idle[rank]) rank++;
    return rank;
}

static void take_ranks(struct coordinator *c, struct task *t) {
    coordinator_list_idle(c);
    assert(t->group <= c->n_idle);
    for (int n = 0; n < t->group; n++) {
        const int rank =
            c->affinity ? affinity_rank(c->affinity, t->job, n, c->idle) : first_idle(c);
        c->idle[rank] = c->ranks[rank].idle = false;
        c->ranks[rank].serial = t->serial;
        t->ranks[n] = rank;
        if (c->affinity) affinity_started(c->affinity, t->job, rank, n);
    }
    c->n_idle -= t->group;
}

void coordinator_list_idle(struct coordinator *c) {
    for (int rank = 0; rank < c->par->size; rank++) c->idle[rank] = c->ranks[rank].idle;
}

/* Its compute children may have ended with it. */
static void forget_contexts(struct coordinator *c, const struct task *t) {
    for (int i = 0; c->affinity && i < t->group; i++) affinity_lost(c->affinity, t->ranks[i]);
}

/* There is always a free slot: a task has a rank that is not idle, and there are as many slots as
 * ranks. */
struct task *coordinator_begin_task(struct coordinator *c, size_t job, int group, struct err *err) {
    struct task *t = c->tasks;
    while (t->serial) t++;
    *t = (struct task){.serial = ++c->serial, .job = job, .group = group, .unfinished = group};
    t->ranks = calloc((size_t)group, sizeof *t->ranks);
    t->shards = calloc((size_t)group * 2, sizeof *t->shards);
    t->last_report = clock_now();
    c->n_running++;
    if (!t->ranks || !t->shards) {
        (void)ERR(err, ERR_MEMORY, "no memory for a group of %d", group);
        free_task(c, t);
        return NULL;
    }
    take_ranks(c, t);
    return t;
}

/* ---------------------------------------------------------------- failure */

void coordinator_abandon_task(struct coordinator *c, struct task *t, int but_rank) {
    const struct message_head head = {.kind = MESSAGE_ABANDON, .serial = t->serial};
    for (int i = 0; i < t->group; i++)
        if (t->ranks[i] != but_rank && !c->ranks[t->ranks[i]].idle)
            (void)transport_send(c->transport, t->ranks[i], TAG_WORKER, &head, NULL, NULL);
}

void coordinator_fail_task(struct coordinator *c, struct task *t, int rank, enum failure failure,
                           const char *reason, size_t size) {
    if (t->failed) return;
    t->failed = true;
    t->failure = failure;
    (void)snprintf(t->reason, sizeof t->reason, "%.*s", (int)(size < 500 ? size : 500), reason);
    coordinator_abandon_task(c, t, rank);
}

/* ---------------------------------------------------------------- end */

static enum err_code end_done(struct coordinator *c, struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool checkpointed = c->checkpointed[t->job];
    TRY(coordinator_append_done(c, t, err));
    const struct job_record record = {.group = t->group,
                                      .seconds = t->seconds,
                                      .share = t->result.share,
                                      .found = t->result.contexts_found,
                                      .made = t->result.contexts_made,
                                      .checkpointed = checkpointed};
    coordinator_record_time(c, t->job, &record);
    queue_done(c->queue, t->job);
    if (c->affinity) affinity_ended(c->affinity, t->job);
    if (checkpointed) c->obsolete[c->n_obsolete++] = t->job;
    c->done_now++;
cleanup:
    return rc;
}

static enum err_code end_failed(struct coordinator *c, struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    log_line(&c->f->log, LOG_WARNING, "%s failed (%s): %s", c->f->jobs[t->job].label,
             failure_text(t->failure), t->reason);
    TRY(coordinator_append_failed(c, t->job, t->failure, t->reason, err));
    queue_failed(c->queue, t->job);
    if (c->affinity) affinity_ended(c->affinity, t->job);
    forget_contexts(c, t);
    c->failed_now++;
cleanup:
    return rc;
}

static enum err_code end_stopped(struct coordinator *c, struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(coordinator_append_stopped(c, t, err));
    queue_stopped(c->queue, t->job);
    forget_contexts(c, t);
cleanup:
    return rc;
}

/* A failure takes precedence over a stop, and a stop over a result, because a job that one rank of
 * the group did not finish is incomplete. */
enum err_code coordinator_end_task(struct coordinator *c, struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    if (t->failed)
        rc = end_failed(c, t, err);
    else if (t->done && !t->stopped)
        rc = end_done(c, t, err);
    else
        rc = end_stopped(c, t, err);
    free_task(c, t);
    return rc;
}
