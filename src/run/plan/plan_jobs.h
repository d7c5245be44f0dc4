/*
 * plan_jobs.h - the jobs of a plan as they are added: found by identity (plan_find), each once, and
 * listed by every stage that they belong to.
 */
#ifndef RUN_PLAN_PLAN_JOBS_H
#define RUN_PLAN_PLAN_JOBS_H

#include "run/plan/plan.h"

/* A job whose identity the plan does not have yet; *index: where it stands. */
enum err_code plan_jobs_append(size_t *index, struct plan *p, const struct plan_job *job,
                               struct err *err);

enum err_code plan_jobs_list(struct plan_stage *s, size_t job, struct err *err);

#endif
