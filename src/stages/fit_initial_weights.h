/*
 * fit_initial_weights.h - where the weights of a fit begin: drawn, or of a file (key `weights`).
 *
 * The file is a safetensors with a tensor "weights" of the method's shape: another fit's artifact,
 * or what analysis/import_checkpoint.py makes of published weights.
 */
#ifndef STAGES_FIT_INITIAL_WEIGHTS_H
#define STAGES_FIT_INITIAL_WEIGHTS_H

#include "base/rng.h"
#include "config/config.h"
#include "methods/method.h"

/* For `plan`: ERR_CONFIG, with the place, for a file that cannot be the method's weights. */
enum err_code fit_initial_weights_check(const struct config_point *point,
                                        const struct method_setup *setup, struct err *err);

/* w [method_weights]: the file's, or the method's own draw from `stream`. */
enum err_code fit_initial_weights(float *w, const struct config_point *point,
                                  const struct method_setup *setup, const struct rng *stream,
                                  struct err *err);

#endif
