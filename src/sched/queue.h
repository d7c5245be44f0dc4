/*
 * queue.h - the order in which jobs start: the scheduler's state, without MPI, files or a clock.
 *
 * A job is ready when its parents are done.  Of the ready jobs the one with the largest planned
 * cost starts first (or with the smallest); equal costs start in plan order.  Results do not depend
 * on the order.
 *
 * A job for a group of ranks waits until enough ranks are idle at once.  From the moment that it is
 * the first of the ready jobs, others overtake it only if they are expected to end before the ranks
 * that it waits for, or use ranks that it will not need, and at most QUEUE_OVERTAKE times the
 * number of ranks do; after that idle ranks are reserved for it.
 */
#ifndef SCHED_QUEUE_H
#define SCHED_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/planned_job.h"
#include "journal/history.h"

/* QUEUE_LOST: a job that was running when so many attempts in a row died is FAILED. */
enum { QUEUE_OVERTAKE = 4, QUEUE_LOST = 5 };

enum queue_state { QUEUE_PENDING, QUEUE_RUNNING, QUEUE_DONE, QUEUE_FAILED, QUEUE_BLOCKED };

struct queue;

enum queue_order { QUEUE_LONGEST, QUEUE_SHORTEST }; /* what starts first */

struct queue_filter { /* whether a job may start on so many ranks now; `may` NULL: every job */
    bool (*may)(const void *context, size_t job, int group);
    const void *context;
    struct affinity *near; /* jobs whose contexts an idle rank has are preferred; NULL: the order */
    const bool *idle;      /* [ranks] */
};

/* jobs [n] outlive the queue; of each it reads parents, cost.flops and cost.group. ERR_CONFIG for a
 * cycle or a parent out of range. */
enum err_code queue_create(struct queue **out, const struct planned_job *jobs, size_t n, int ranks,
                           enum queue_order order, struct err *err);
void queue_destroy(struct queue *q); /* NULL-safe */

/* The states that earlier attempts left, then queue_begin() once, before all that follows. */
void queue_set_done(struct queue *q, size_t job);
void queue_set_failed(struct queue *q, size_t job);
void queue_set_skipped(struct queue *q, size_t job);            /* not to be started */
void queue_set_running(struct queue *q, size_t job, int group); /* runs already, on so many ranks */
void queue_begin(struct queue *q);

/* The state in which earlier attempts left a job: DONE, FAILED or PENDING; past NULL: no event of
 * it. *lost: it is FAILED because it was running when QUEUE_LOST attempts in a row died. */
enum queue_state queue_initial_state(const struct history_job *past, bool retry_failed, bool *lost);

/* The job to start now with `idle` ranks, and how many of them it gets; it is RUNNING from here on.
 * False: none. A job that the filter refuses counts as not ready. */
bool queue_next(size_t *job, int *group, struct queue *q, int idle, const struct queue_filter *f);

void queue_progress(struct queue *q, size_t job, double fraction);
void queue_done(struct queue *q, size_t job);
void queue_failed(struct queue *q, size_t job);  /* blocks its descendants */
void queue_stopped(struct queue *q, size_t job); /* pending again */

enum queue_state queue_state_of(const struct queue *q, size_t job);
bool queue_is_ready(const struct queue *q, size_t job);  /* to start on one rank */
const char *queue_state_text(enum queue_state state);    /* "PENDING", ... */
size_t queue_blocker(const struct queue *q, size_t job); /* BLOCKED: the failed ancestor */

/* Jobs in each state, skipped ones among PENDING; and how many could start now or later. */
void queue_count(size_t count[QUEUE_BLOCKED + 1], const struct queue *q);
size_t queue_left(const struct queue *q); /* PENDING; neither skipped nor behind a skipped one */

/* Cost of what was finished since queue_begin(), running jobs by their fractions; cost still to go,
 * failed and blocked jobs left out. */
void queue_cost(double *done, double *left, const struct queue *q);

#endif
