/*
 * eta.h - the estimated time to the end of a run, from the times of its jobs so far.
 *
 * A stage's speed is the time of its finished jobs per planned flop.  A stage without a finished
 * job uses its running jobs that wrote a checkpoint, or else all finished jobs of the run.  With
 * these times the queue is simulated (forecast.h), so that chains of jobs, groups and idle ranks at
 * the end count too.
 */
#ifndef SCHED_ETA_H
#define SCHED_ETA_H

#include <stddef.h>

#include "base/err.h"
#include "sched/queue.h"

struct eta_state { /* of one job, by the journal */
    enum queue_state state;
    int ranks;      /* DONE, RUNNING: those that worked on it */
    double seconds; /* DONE: from its start to its end; 0: not known. RUNNING: so far */
    double marked;  /* RUNNING: seconds from its start to its newest checkpoint since */
    double resumed; /* fraction done when it was started last */
    double reached; /* fraction done at its newest checkpoint */
};

/* Seconds from now; NaN while no speed is known. states [n]: of each job. */
enum err_code eta_make(double *seconds, const struct planned_job *jobs,
                       const struct eta_state *states, size_t n, size_t n_stages, int ranks,
                       struct err *err);

#endif
