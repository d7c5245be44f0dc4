/*
 * job_times.h - how long a job will take, from the finished jobs of its class: seconds of one rank
 * per unit of planned cost, the newest JOB_TIMES_KEPT of them for each class.  The caller numbers
 * the classes (coordinator_time.c: a stage, its jobs with checkpoints apart).
 *
 * A shared machine is slower at times: the prediction is the 95th percentile once JOB_TIMES_ENOUGH
 * jobs of the class are known, and the slowest of them before.
 */
#ifndef SCHED_JOB_TIMES_H
#define SCHED_JOB_TIMES_H

#include <stddef.h>

#include "base/err.h"

enum { JOB_TIMES_KEPT = 256, JOB_TIMES_ENOUGH = 20 };

struct job_times;

enum err_code job_times_create(struct job_times **out, size_t n_classes, struct err *err);
void job_times_destroy(struct job_times *p); /* NULL-safe */

/* A job of `cost` took `seconds` on each of `group` ranks. Values that are not positive and
 * finite are ignored. */
void job_times_learn(struct job_times *p, size_t class, double cost, int group, double seconds);

/* Seconds that a job of the class will take on `group` ranks; 0: not known yet. */
double job_times_predict(struct job_times *p, size_t class, double cost, int group);

#endif
