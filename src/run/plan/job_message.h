/*
 * job_message.h - the message that tells a compute child its job: written from the plan by rank 0,
 * read and run by the child.
 *
 * Blocks "NAME SIZE NEWLINE bytes NEWLINE" in a fixed order, so that a path may hold any byte.
 */
#ifndef RUN_PLAN_JOB_MESSAGE_H
#define RUN_PLAN_JOB_MESSAGE_H

#include "base/text.h"
#include "job/job.h"
#include "run/plan/plan.h"

/* Appends the message of a job of the plan; the artifacts of its inputs are under `dir`. */
enum err_code job_message_write(struct text *out, const struct plan *p, size_t job, const char *dir,
                                struct err *err);

/* Fills point, columns, seed, control and inputs of *ctx from the message and runs the stage of the
 * job; a farm_compute, `context` unused. ERR_DATA for a message it cannot read. */
enum err_code job_message_compute(const char *message, struct job_ctx *ctx, void *context,
                                  struct err *err);

#endif
