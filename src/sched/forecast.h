/*
 * forecast.h - how long what is left will take: the scheduler played forward, with the seconds that
 * jobs are expected to take in place of a clock.
 */
#ifndef SCHED_FORECAST_H
#define SCHED_FORECAST_H

#include <stddef.h>

#include "base/err.h"
#include "sched/queue.h"

struct forecast_job {
    const size_t *parents; /* indices, not owned */
    size_t n_parents;
    enum queue_state state;
    double cost;    /* as planned: decides who goes first */
    int group;      /* ranks it wants */
    double seconds; /* from its start to its end; of a RUNNING job, from now */
};

/* Seconds until the last job ends that can, on `ranks` ranks; RUNNING ones go on. ERR_CONFIG for a
 * cycle or a parent out of range. */
enum err_code forecast_make(double *seconds, const struct forecast_job *jobs, size_t n, int ranks,
                            struct err *err);

#endif
