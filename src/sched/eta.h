/*
 * eta.h - when a run will be through, by what its jobs have taken so far.
 *
 * A stage's speed is what its finished jobs took per planned flop; one of which none is finished
 * goes by its running jobs that left a checkpoint, else by all that is finished.  With these
 * times the scheduler is played forward on the ranks there are, so that chains of jobs, groups and
 * the idle ranks at the end count too.
 */
#ifndef SCHED_ETA_H
#define SCHED_ETA_H

#include <stddef.h>

#include "base/err.h"
#include "sched/queue.h"

struct eta_state { /* of one job, by the journal */
    enum queue_state state;
    int ranks;      /* DONE, RUNNING: those that worked on it */
    double seconds; /* DONE: that it took from begin to end; 0: not known. RUNNING: so far */
    double marked;  /* RUNNING: seconds from its start to its newest checkpoint since */
    double resumed; /* fraction that its last start found done */
    double reached; /* fraction done at its newest checkpoint */
};

/* Seconds from now; NaN while no job says how fast they are. states [n]: of each job. */
enum err_code eta_make(double *seconds, const struct planned_job *jobs,
                       const struct eta_state *states, size_t n, size_t n_stages, int ranks,
                       struct err *err);

#endif
