/*
 * importance_run.h - run() of the stage `importance`, and what plan() needs of it.
 */
#ifndef STAGES_IMPORTANCE_RUN_H
#define STAGES_IMPORTANCE_RUN_H

#include "activations/causal_map.h"
#include "passes/head_leave_out.h"
#include "stages/stage.h"

/* Points of the prompts: the key, or where it is 0 those of the fit. */
size_t importance_points(const struct config_point *point, const struct config_point *fit);

/* Of the causal map, on prompts of T0 points; the caller adds prompts, stream and progress. */
struct causal_options importance_causal(const struct config_point *point,
                                        const struct model_dims *dims, size_t T0);

/* A method that learns one weight for each head. */
bool importance_has_heads(const struct method *method);

enum err_code importance_run(struct job_ctx *ctx, struct err *err);

#endif
