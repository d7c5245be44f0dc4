/*
 * context_key.h - which jobs of a plan share contexts: those of one key.
 *
 * The key is a hash of what the contexts of a job depend on: the model, the seed, what the stage
 * says of them (job_cost.context_of), and the keys that the stage names (stage.context_keys). It
 * only tells the scheduler where contexts are likely to be found: a job that looks for contexts
 * compares what they were made from (sources/shared_contexts.h).
 */
#ifndef RUN_PLAN_CONTEXT_KEY_H
#define RUN_PLAN_CONTEXT_KEY_H

#include "run/plan/plan.h"

/* Fills p->jobs[job].contexts. scratch is cleared first. */
enum err_code context_key_make(struct plan *p, size_t job, struct text *scratch, struct err *err);

#endif
