/*
 * job_builder.h - one job of a plan: its identity, its cost, its label; each identity once.
 *
 * plan_make.c and plan_controls.c fill stage, point, control and parents of a job and add it here.
 */
#ifndef RUN_PLAN_JOB_BUILDER_H
#define RUN_PLAN_JOB_BUILDER_H

#include "run/plan/plan.h"

struct job_mark {
    size_t listed; /* the last stage whose list the job entered */
    size_t visit;  /* value of `visits` when it was visited last */
};

struct job_builder { /* {.plan = ...} begins */
    struct plan *plan;
    struct text scratch;
    struct job_mark *marks; /* [n_marks >= plan->n_jobs] */
    size_t n_marks, visits;
};

struct job_list { /* of indices, not owned */
    const size_t *jobs;
    size_t n;
};

void job_builder_release(struct job_builder *b);

/* Adds the job to the plan, unless one of its identity is there, and to the list of its stage.
 * ERR_CONFIG of the stage's plan(), or for a file that cannot be read. */
enum err_code job_builder_add(struct job_builder *b, struct planned_job job, struct err *err);

/* The same for a job that reads `parent`, and the model that the parent was made on. */
enum err_code job_builder_add_child(struct job_builder *b, const struct planned_job *start,
                                    size_t parent, struct err *err);

/* True the first time that a job is visited since b->visits was raised. */
bool job_builder_visit(struct job_builder *b, size_t job);

/* False if both points have the key model.wpe_seed with different values. */
bool job_builder_same_positions(const struct config_point *a, const struct config_point *b);

/* False if the parent uses another model file or other positions than this point, so that it
 * belongs to another point. */
bool job_builder_same_model(const struct plan *p, const struct config_point *point, size_t parent);

#endif
