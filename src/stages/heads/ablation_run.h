/*
 * ablation_run.h - run() of the stage `ablation`.
 */
#ifndef STAGES_HEADS_ABLATION_RUN_H
#define STAGES_HEADS_ABLATION_RUN_H

#include "base/err.h"
#include "job/job.h"

enum err_code ablation_stage_run(struct job_ctx *ctx, struct err *err);

#endif
