/*
 * leave_one_out_run.h - run() of the stage `leave_one_out`, and what plan() needs of it.
 */
#ifndef STAGES_MEASURES_LEAVE_ONE_OUT_RUN_H
#define STAGES_MEASURES_LEAVE_ONE_OUT_RUN_H

#include "stages/stage.h"

/* Points of the prompts: the key, or where it is 0 those of the fit. */
size_t leave_one_out_points(const struct config_point *point, const struct config_point *fit);

enum err_code leave_one_out_run(struct job_ctx *ctx, struct err *err);

#endif
