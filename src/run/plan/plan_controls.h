/*
 * plan_controls.h - the jobs that an evaluation's key `also` asks for: methods evaluated without a
 * fit of their own.
 *
 * There are two kinds.  A control of a fit is derived from a fit, and has a job for each fit that
 * it applies to (method.h, applies); every other control has one job for each model.
 */
#ifndef RUN_PLAN_PLAN_CONTROLS_H
#define RUN_PLAN_PLAN_CONTROLS_H

#include "run/plan/job_builder.h"

bool plan_controls_has(const struct stage *kind); /* it has the key `also` */

/* Those of `fit`, one of the jobs `of` that the stage reads. */
enum err_code plan_controls_of_fit(struct job_builder *b, const struct planned_job *start,
                                   const struct job_list *of, size_t fit, struct err *err);

/* model PLAN_NONE: the file of model.checkpoint. */
enum err_code plan_controls_of_model(struct job_builder *b, const struct planned_job *start,
                                     size_t model, struct err *err);

/* Once for each model that the parents in `of` were made on. */
enum err_code plan_controls_of_models(struct job_builder *b, const struct planned_job *start,
                                      const struct job_list *of, struct err *err);

/* Whether some job of the stage evaluates this control. */
bool plan_controls_includes(const struct plan *p, const struct plan_stage *s, const char *control);

/* ERR_CONFIG for a control of a fit that applies to none of the fits. */
enum err_code plan_controls_check(const struct plan *p, size_t stage, struct err *err);

#endif
