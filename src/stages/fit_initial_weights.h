/*
 * fit_initial_weights.h - the initial weights of a fit: random, or from a file (key `weights`).
 *
 * The file is in safetensors format and has a tensor "weights" of the method's shape: the artifact
 * of another fit, or the output of analysis/import_checkpoint.py for published weights.
 */
#ifndef STAGES_FIT_INITIAL_WEIGHTS_H
#define STAGES_FIT_INITIAL_WEIGHTS_H

#include "base/rng.h"
#include "config/config.h"
#include "job/job.h"
#include "methods/method.h"

/* For `plan`: ERR_CONFIG, with the place, for a file that cannot be the method's weights. */
enum err_code fit_initial_weights_check(const struct config_point *point,
                                        const struct method_setup *setup, struct err *err);

/* w [method_weights]: the file's, or the method's own draw from `stream`. */
enum err_code fit_initial_weights(float *w, const struct job_ctx *ctx,
                                  const struct method_setup *setup, const struct rng *stream,
                                  struct err *err);

#endif
