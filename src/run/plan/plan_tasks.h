/*
 * plan_tasks.h - which evaluations on text there are: the fits that one reads are those of its own
 * task, and prompts without shots are evaluated once.
 */
#ifndef RUN_PLAN_PLAN_TASKS_H
#define RUN_PLAN_PLAN_TASKS_H

#include "run/plan/job_builder.h"
#include "run/plan/plan.h"

/* False where the parent is of the task of another point of the stage, which evaluates it instead.
 * A fit of a task that no point of the stage has (a folder, one that is to be transferred) is read
 * by all, as is every fit where the key `fits` says so, and where prompts are not of text. */
bool plan_tasks_match(const struct plan *p, size_t stage, const struct config_point *point,
                      size_t parent);

/* Of the jobs `of`, the next one after `fit` that is the same fit of another task; PLAN_NONE: there
 * is none, or the fit is not of text. */
size_t plan_tasks_next(const struct plan *p, const struct job_list *of, size_t fit);

/* The prompts of the point are those of another one of the stage: without shots no label is shown,
 * so that shuffled ones make no difference. */
bool plan_tasks_repeats(const struct plan *p, size_t stage, const struct config_point *point);

#endif
