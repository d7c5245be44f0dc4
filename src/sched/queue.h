/*
 * queue.h - who does what next: the scheduler's state, without ranks, files or a clock.
 *
 * Longest first (or shortest first) among the jobs whose parents are done.  A job for a group waits
 * until enough ranks are idle at once: from the moment it is the longest ready job, smaller jobs
 * overtake it only while they are not expected to outlast the ranks it waits for, or on ranks that
 * it will not need then, and at most QUEUE_OVERTAKE times the number of ranks of them; after that
 * idle ranks are kept for it.
 */
#ifndef SCHED_QUEUE_H
#define SCHED_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/planned_job.h"
#include "journal/history.h"

enum { QUEUE_OVERTAKE = 4, QUEUE_LOST = 5 };

enum queue_state { QUEUE_PENDING, QUEUE_RUNNING, QUEUE_DONE, QUEUE_FAILED, QUEUE_BLOCKED };

struct queue;

enum queue_order { QUEUE_LONGEST, QUEUE_SHORTEST }; /* who goes first; results depend on neither */

struct queue_filter { /* whether a job may start on so many ranks now; `may` NULL: every one */
    bool (*may)(const void *context, size_t job, int group);
    const void *context;
};

/* jobs [n] outlive the queue; of each it reads parents, cost.flops and cost.group. ERR_CONFIG for a
 * cycle or a parent out of range. */
enum err_code queue_create(struct queue **out, const struct planned_job *jobs, size_t n, int ranks,
                           enum queue_order order, struct err *err);
void queue_destroy(struct queue *q); /* NULL-safe */

/* What earlier attempts left, then queue_begin() once; all that follows needs it. */
void queue_set_done(struct queue *q, size_t job);
void queue_set_failed(struct queue *q, size_t job);
void queue_set_skipped(struct queue *q, size_t job);            /* not to be started */
void queue_set_running(struct queue *q, size_t job, int group); /* runs already, on so many ranks */
void queue_begin(struct queue *q);

/* The state an earlier attempt left `past` in (NULL: never seen): DONE, FAILED, or PENDING. A job
 * running while QUEUE_LOST attempts in a row died is FAILED. */
enum queue_state queue_past(const struct history_job *past, bool retry_failed, bool *lost);

/* The job to start now with `idle` ranks, and how many of them it gets; false: none. It is RUNNING
 * from here on. A job that the filter refuses is passed over, as if it were not ready. */
bool queue_next(size_t *job, int *group, struct queue *q, int idle, const struct queue_filter *f);

void queue_progress(struct queue *q, size_t job, double fraction);
void queue_done(struct queue *q, size_t job);
void queue_failed(struct queue *q, size_t job);  /* blocks its descendants */
void queue_stopped(struct queue *q, size_t job); /* pending again */

enum queue_state queue_state_of(const struct queue *q, size_t job);
const char *queue_state_text(enum queue_state state);    /* "PENDING", ... */
size_t queue_blocker(const struct queue *q, size_t job); /* BLOCKED: the failed ancestor */

/* Jobs in each state, skipped ones among PENDING; and how many could start now or later. */
void queue_count(size_t count[QUEUE_BLOCKED + 1], const struct queue *q);
size_t queue_left(const struct queue *q); /* PENDING; neither skipped nor behind a skipped one */

/* Cost of what was finished since queue_begin(), running jobs by their fractions; cost still to go,
 * failed and blocked jobs left out. */
void queue_cost(double *done, double *left, const struct queue *q);

#endif
