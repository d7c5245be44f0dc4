/*
 * affinity.h - which jobs share contexts, which ranks have them, and so which job starts where.
 *
 * Jobs of one key (planned_job.contexts) are a family: contexts that one of them makes serve the
 * others on the same rank. A rank keeps the contexts of its last families, as far as the memory
 * budget allows; this module follows that from what each rank has run. Nothing but time depends on
 * whether it is right.
 */
#ifndef SCHED_AFFINITY_H
#define SCHED_AFFINITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "job/planned_job.h"

struct queue;
struct affinity;

/* jobs [n] outlive it; memory: bytes that a rank may use. */
enum err_code affinity_create(struct affinity **out, const struct planned_job *jobs, size_t n,
                              int ranks, double memory, struct err *err);
void affinity_destroy(struct affinity *a); /* NULL-safe */

/* The job is done or failed; its family has one job less to run. At most once for each job. */
void affinity_ended(struct affinity *a, size_t job);

/* The rank works on the job, as rank `place` of its group, and keeps its contexts if another job of
 * the family has not ended; and it has lost what it held. */
void affinity_started(struct affinity *a, size_t job, int rank, int place);
void affinity_lost(struct affinity *a, int rank);

/* Whether the rank has, or is to keep, contexts of the job's family. */
bool affinity_holds(const struct affinity *a, size_t job, int rank);

/* The rank, of those with idle[rank], that should be rank `place` of the group for this job: one
 * that has the contexts, else one that has none that jobs still need, else the first; -1: no rank
 * is idle. */
int affinity_rank(const struct affinity *a, size_t job, int place, const bool *idle);

/* What starts instead of `first`, a job for one rank that is the next by cost: a ready job whose
 * contexts an idle rank has, else one whose contexts no rank has; or `first` itself. Another job is
 * taken only where that delays nobody: it costs as much, or `first` costs less than
 * AFFINITY_SMALL of what every rank still has to do, so that the makespan grows by that at most
 * even if `first` is the last to end. may: whether a job may start now (queue_filter). */
#define AFFINITY_SMALL 0.04
struct affinity_choice {
    const bool *idle; /* [ranks] */
    double left;      /* cost left for each rank */
    bool (*may)(const void *context, size_t job, int group);
    const void *context;
};
size_t affinity_choose(struct affinity *a, const struct queue *q, size_t first,
                       const struct affinity_choice *choice);

#endif
