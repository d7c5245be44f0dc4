/*
 * fit_derived.h - `fit` for methods that are not learned by gradient descent.
 *
 * Training prompts are the first of those a learned fit of the same keys draws, validation prompts
 * the last.  Weights are derived from the training prompts, the mean basis comes from them too, and
 * each choice of the method is tried on the validation prompts: the least loss wins.
 */
#ifndef STAGES_FIT_DERIVED_H
#define STAGES_FIT_DERIVED_H

#include "stages/fit_run.h"

/* ERR_CONFIG where the keys ask for a group (such a method works alone), or for more x or anchors
 * than there are. */
enum err_code derive_check(const struct fit_keys *k, const struct method_setup *s, size_t T0,
                           const struct config_point *point, struct err *err);
void derive_cost(struct job_cost *cost, const struct fit_keys *k, const struct method_setup *setup,
                 size_t T0, const struct source *source);

enum err_code fit_derived(struct job_ctx *ctx, struct err *err);

#endif
