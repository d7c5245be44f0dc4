/*
 * fit_plan.h - plan() of `fit`: checks the keys against the model and predicts time and memory.
 */
#ifndef STAGES_FIT_PLAN_H
#define STAGES_FIT_PLAN_H

#include "stages/stage.h"

enum err_code fit_plan(struct job_cost *cost, const struct config_point *point, const char *control,
                       const struct stage_parent *parents, size_t n, struct err *err);

/* The part that making the contexts is of the work of a fit that learns, from 0 to below 1. */
struct fit_keys;
struct method_setup;
double fit_plan_contexts_part(const struct fit_keys *k, const struct method_setup *setup,
                              size_t T0);

#endif
