/*
 * job_about.h - what a job is, as JSON for the metadata of its artifact (key "taskvec").
 *
 * An object: program, revision, stage, job (its label), identity, seed, method and control (where
 * there are any), model (file and sha256, or the job that trained it), reads (stage, job and
 * identity of each job that it reads), config (all keys as text, "KEY = VALUE;" each).
 */
#ifndef RUN_PLAN_JOB_ABOUT_H
#define RUN_PLAN_JOB_ABOUT_H

#include "base/text.h"
#include "run/plan/plan.h"

extern const char JOB_ABOUT_NOTE[]; /* "taskvec": the key of the metadata */

enum err_code job_about_write(struct text *out, const struct plan *p, size_t job, struct err *err);

#endif
