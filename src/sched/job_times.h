/*
 * job_times.h - how long a job will take, judged by those of its class that are done: seconds of
 * one rank per unit of planned cost, the newest PACE_KEPT of them for each class.  A class is what
 * the caller says it is: a stage, say.
 *
 * A machine that others use too is slower at times: what is predicted is the 95th percentile once
 * PACE_ENOUGH jobs of the class are known, and the slowest of them before.
 */
#ifndef SCHED_JOB_TIMES_H
#define SCHED_JOB_TIMES_H

#include <stddef.h>

#include "base/err.h"

enum { PACE_KEPT = 256, PACE_ENOUGH = 20 };

struct job_times;

enum err_code job_times_create(struct job_times **out, size_t n_classes, struct err *err);
void job_times_destroy(struct job_times *p); /* NULL-safe */

/* A job of `cost` took `seconds` on each of `group` ranks. Nonsense (nothing, no number) is left
 * out. */
void job_times_learn(struct job_times *p, size_t class, double cost, int group, double seconds);

/* Seconds that a job of the class will take on `group` ranks; 0: not known yet. */
double job_times_predict(struct job_times *p, size_t class, double cost, int group);

#endif
