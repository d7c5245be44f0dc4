/*
 * fit_run.h - run() of the stage `fit`: methods that learn by gradient descent here, the others in
 * fit_derived.h.
 */
#ifndef STAGES_FIT_RUN_H
#define STAGES_FIT_RUN_H

#include "base/err.h"
#include "job/job.h"

enum err_code fit_stage_run(struct job_ctx *ctx, struct err *err);

#endif
