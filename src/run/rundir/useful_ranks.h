/*
 * useful_ranks.h - how many ranks a run can use, and how long it then takes.
 */
#ifndef RUN_RUNDIR_USEFUL_RANKS_H
#define RUN_RUNDIR_USEFUL_RANKS_H

#include "base/err.h"
#include "run/plan/plan.h"
#include "run/rundir/run_state.h"

enum { USEFUL_RANKS_MAX = 1024 };

/* *ranks: the smallest number on which the remaining jobs take at most 10% or ten seconds longer
 * than on USEFUL_RANKS_MAX ranks, and at least that of the largest remaining group; 1 when no job
 * remains. *seconds: the time they take on them, from a simulation of the queue (sched/forecast.h).
 * states [n_jobs]; core_seconds [n_jobs]: of all ranks of a job together. Jobs that failed are left
 * out. */
enum err_code useful_ranks(int *ranks, double *seconds, const struct plan *p,
                           const struct run_state_job *states, const double *core_seconds,
                           struct err *err);

#endif
