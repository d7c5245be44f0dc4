/*
 * universal.h - what other jobs read of a job of the stage `universal`.
 */
#ifndef STAGES_UNIVERSAL_H
#define STAGES_UNIVERSAL_H

#include "job/job.h"
#include "stages/stage.h"

/* effects [L, H]: the mean effect of each head over tasks, from the job that ctx reads; *found:
 * there is one. ERR_DATA for another model's. */
enum err_code universal_read(double *effects, bool *found, const struct job_ctx *ctx, size_t L,
                             size_t H, struct err *err);

bool universal_is_read(const struct stage_parent *parents, size_t n);

#endif
