/*
 * fit_prompts.h - the prompts of a fit, and of text the basis prompts that go with them.
 *
 * Training prompts come first, then those for validation; each `repeat` has prompts of its own. The
 * basis of a prompt of numbers is at point T0 of the same prompt. Text is asked without shots, or
 * with wrong ones, so its basis is that of a clean prompt of T0 - 1 shots, which does not show the
 * pair that is asked (Todd et al., ICLR 2024, section 2).
 */
#ifndef STAGES_FIT_PROMPTS_H
#define STAGES_FIT_PROMPTS_H

#include "stages/fit_keys.h"

struct fit_prompts {
    struct source *source, *basis_source; /* basis_source NULL: none, or prompts of numbers */
    struct prompt_view prompts, basis;    /* of these sources */
    struct prompt_size size;              /* of text */
};

/* For fit_plan(): the source, to be closed by the caller, and the sizes of its prompts. ERR_CONFIG
 * or ERR_DATA for prompts that the model cannot read. T0: 0 without a basis. */
enum err_code fit_prompts_plan(struct source **source, struct prompt_size *size,
                               const struct fit_keys *k, size_t T0, const struct model_dims *d,
                               const struct config_point *point, struct err *err);

/* Draws them; fit_prompts_close() is NULL-safe for what is not there. */
enum err_code fit_prompts_draw(struct fit_prompts *p, const struct fit_keys *k, size_t T0,
                               const struct model_dims *d, const struct job_ctx *ctx,
                               struct err *err);
void fit_prompts_close(struct fit_prompts *p);

#endif
