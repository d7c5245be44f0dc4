/*
 * plan_folded.h - what a plan does not run twice: points of a stage that differ only in keys that
 * their method does not read are one job (config/fold.h).
 */
#ifndef RUN_PLAN_PLAN_FOLDED_H
#define RUN_PLAN_PLAN_FOLDED_H

#include "base/text.h"
#include "run/plan/plan.h"

/* "fit: 20 of 48 points repeat the work of another one and are no jobs: fv, icv do not read points,
 * optimiser.lr." Appends nothing where every point of the stage is work of its own. */
void plan_folded_describe(struct text *out, const struct plan *p, size_t stage);

/* "points, optimiser.lr": the keys that the stage sets and a job of this point does not read. */
void plan_folded_unread(struct text *out, const struct plan *p, size_t stage,
                        const struct config_point *point);

#endif
