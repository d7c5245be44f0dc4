/*
 * optim_options.h - the keys optimiser.* of every stage that learns.
 */
#ifndef OPTIM_OPTIM_OPTIONS_H
#define OPTIM_OPTIM_OPTIONS_H

#include "config/config.h"
#include "optim/adam.h"
#include "optim/schedule.h"

/* Rows optimiser.name and, for Adam, .lr, .beta1, .beta2, .epsilon, .schedule, .warmup, .floor.
 * lbfgs: it may be named too. */
enum err_code optimiser_schema(struct config_schema *out, bool lbfgs, struct err *err);

bool optimiser_is_lbfgs(const struct config_point *point);

/* Of Adam. steps: the length of the run, for schedules that end. */
void optimiser_read(struct adam *adam, struct schedule *schedule, const struct config_point *point,
                    int64_t steps);

#endif
