/*
 * probe_run.h - run() of the stage `probe`, and how it divides its functions.
 */
#ifndef STAGES_MEASURES_PROBE_RUN_H
#define STAGES_MEASURES_PROBE_RUN_H

#include "stages/stage.h"

enum { PROBE_LEAST = 20 }; /* functions */

/* Functions for validation, and as many for the test; those that are left are fitted to. */
size_t probe_held_out(size_t functions);
size_t probe_train(size_t functions);

enum err_code probe_run(struct job_ctx *ctx, struct err *err);

#endif
