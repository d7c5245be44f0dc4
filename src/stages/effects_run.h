/*
 * effects_run.h - run() of the stage `effects`, and the keys that plan() reads as it does.
 */
#ifndef STAGES_EFFECTS_RUN_H
#define STAGES_EFFECTS_RUN_H

#include "activations/causal_map.h"
#include "config/config.h"
#include "job/job.h"

/* What is measured of a head; all but the first on text alone. */
enum effects_measure { EFFECTS_PATCHING, EFFECTS_GRADIENT, EFFECTS_INDUCTION };
extern const char *const EFFECTS_MEASURES[]; /* names in that order, NULL-terminated */
enum effects_measure effects_measure_of(const struct config_point *point);

/* Of a causal map, or of gradients; the caller adds the prompts' arrays, the stream and the
 * progress callback. */
struct causal_options effects_options(const struct config_point *point, size_t dims);

enum err_code effects_run(struct job_ctx *ctx, struct err *err);

#endif
