/*
 * time_limit.h - when a run is to have left: after --max-time, or before its Slurm job ends.
 */
#ifndef MACHINE_TIME_LIMIT_H
#define MACHINE_TIME_LIMIT_H

#include <stdbool.h>

#include "base/log.h"

/* SLURM_JOB_END_TIME, seconds since 1970, as seconds from `now` of the same kind. False: `text` is
 * no such number, or it is past. */
bool time_limit_slurm(double *seconds, const char *text, double now);

/* clock_now() of the nearer limit, 0 for none. `began`: clock_now() from which max_time (seconds;
 * 0 or INFINITY: none) counts. A nonsense end of the Slurm job is said and ignored. */
double time_limit_end(double began, double max_time, const struct log *log);

#endif
