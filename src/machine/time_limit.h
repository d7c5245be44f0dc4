/*
 * time_limit.h - the moment by which a run must have exited: --max-time, or the end of its Slurm
 * job.
 */
#ifndef MACHINE_TIME_LIMIT_H
#define MACHINE_TIME_LIMIT_H

#include <stdbool.h>

#include "base/log.h"

/* The value of SLURM_JOB_END_TIME (seconds since 1970) as seconds from `now` (the same). False: it
 * is no such number, or in the past. */
bool time_limit_slurm(double *seconds, const char *text, double now);

/* clock_now() of the nearer limit, 0 for none. `began`: clock_now() from which max_time (seconds;
 * 0 or INFINITY: none) counts. An invalid end of the Slurm job is ignored with a warning. */
double time_limit_end(double began, double max_time, const struct log *log);

#endif
