/*
 * forecast.h - how long the jobs left will take: the queue simulated with the seconds that each job
 * is expected to take.
 */
#ifndef SCHED_FORECAST_H
#define SCHED_FORECAST_H

#include <stddef.h>

#include "base/err.h"
#include "sched/queue.h"

struct forecast_state { /* of one job, now */
    enum queue_state state;
    int ranks;      /* RUNNING: those that work on it */
    double seconds; /* from its start to its end; of a RUNNING job, from now */
};

/* Seconds until the last job ends that can, on `ranks` ranks; RUNNING ones continue. states [n]: of
 * each job. ERR_CONFIG for a cycle or a parent out of range. */
enum err_code forecast_make(double *seconds, const struct planned_job *jobs,
                            const struct forecast_state *states, size_t n, int ranks,
                            struct err *err);

#endif
