/*
 * fit_plan.h - plan() of `fit`: checks the keys against the model and predicts time and memory.
 */
#ifndef STAGES_FIT_PLAN_H
#define STAGES_FIT_PLAN_H

#include "stages/stage.h"

enum err_code fit_plan(struct job_cost *cost, const struct config_point *point, const char *control,
                       const struct stage_parent *parents, size_t n, struct err *err);

#endif
