/*
 * fit_plan.h - do the keys of a fit go together, and what will it cost?
 */
#ifndef STAGES_FIT_PLAN_H
#define STAGES_FIT_PLAN_H

#include "stages/stage.h"

/* plan() of the stage. */
enum err_code fit_plan(struct job_cost *cost, const struct config_point *point,
                       const struct stage_parent *parents, size_t n, struct err *err);

#endif
