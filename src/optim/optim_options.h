/*
 * optim_options.h - the keys optimiser.*, which all stages with training share.
 */
#ifndef OPTIM_OPTIM_OPTIONS_H
#define OPTIM_OPTIM_OPTIONS_H

#include "config/config.h"
#include "optim/adam.h"
#include "optim/schedule.h"

/* Adds optimiser.name and, for Adam, .lr, .beta1, .beta2, .epsilon, .schedule, .warmup, .floor,
 * .decay_steps and .cooldown to a schema. lbfgs: the stage accepts "lbfgs" as a name too. */
enum err_code optimiser_schema(struct config_schema *out, bool lbfgs, struct err *err);

bool optimiser_is_lbfgs(const struct config_point *point);

/* The values of Adam's keys. steps: the number of updates of the run, where a cosine schedule ends
 * by default. */
void optimiser_read(struct adam *adam, struct schedule *schedule, const struct config_point *point,
                    int64_t steps);

#endif
