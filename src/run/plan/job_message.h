/*
 * job_message.h - what a compute child is told about a job, as text; and the job done from that
 * text.
 *
 * Blocks "NAME SIZE NEWLINE bytes NEWLINE" in a fixed order, so that any byte may stand in a path.
 */
#ifndef RUN_PLAN_JOB_MESSAGE_H
#define RUN_PLAN_JOB_MESSAGE_H

#include "base/text.h"
#include "job/job.h"
#include "run/plan/plan.h"

/* Appends the order of a job of the plan; its inputs' artifacts lie under `dir`. */
enum err_code job_message_write(struct text *out, const struct plan *p, size_t job, const char *dir,
                                struct err *err);

/* Fills point, columns, seed, control and inputs of *ctx from the order and runs the job's stage; a
 * farm_compute, `context` unused. ERR_DATA for an order it cannot read. */
enum err_code job_message_compute(const char *order, struct job_ctx *ctx, void *context,
                                  struct err *err);

#endif
