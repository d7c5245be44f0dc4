/*
 * plan_gather.h - the jobs of a stage each of which reads all jobs of `of` that are of its source
 * and its model, such as all maps of the heads of a task.
 */
#ifndef RUN_PLAN_PLAN_GATHER_H
#define RUN_PLAN_PLAN_GATHER_H

#include "run/plan/job_builder.h"

/* Adds a job of the point of `start` for each model that the jobs of `of` were made on: none where
 * no job of `of` has the point's problem, or task and form. Jobs that read no source are of every
 * source. ERR_CONFIG where one would read more jobs than it can. */
enum err_code plan_gather_add(struct job_builder *b, const struct planned_job *start,
                              const struct job_list *of, struct err *err);

/* ERR_CONFIG for a job of `of` that no point of the stage reads, though the stage takes such jobs.
 */
enum err_code plan_gather_check(const struct plan *p, size_t stage, const struct job_list *of,
                                struct err *err);

#endif
