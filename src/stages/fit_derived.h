/*
 * fit_derived.h - `fit` for methods whose weights have a closed form, or that have none.
 *
 * The prompts are those that a learned fit with the same keys draws. Weights and the mean basis are
 * derived from the training prompts; each choice of the method (a layer, a penalty) is evaluated on
 * the validation prompts, and the one with the least loss is kept.
 */
#ifndef STAGES_FIT_DERIVED_H
#define STAGES_FIT_DERIVED_H

#include "stages/fit_keys.h"
#include "stages/stage.h"

/* For fit_plan(). ERR_CONFIG where the keys ask for several shards (a derivation runs on one rank),
 * or for more xs or anchors than the prompts have. */
enum err_code fit_derived_check(const struct fit_keys *k, const struct method_setup *s, size_t T0,
                                const struct config_point *point, struct err *err);
/* model: bytes of it that a rank holds itself. */
void fit_derived_cost(struct job_cost *cost, const struct fit_keys *k,
                      const struct method_setup *setup, size_t T0, const struct source *source,
                      double model);

/* run() for such a method. */
enum err_code fit_derived(struct job_ctx *ctx, struct err *err);

#endif
