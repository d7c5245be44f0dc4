/*
 * fit_prompts.h - the prompts of a fit, and of text those that go with them.
 *
 * Training prompts come first, then those for validation; each `repeat` has prompts of its own. The
 * basis of a prompt of numbers is at point T0 of the same prompt. Text is asked without shots, or
 * with wrong ones, so its basis is that of a clean prompt of T0 - 1 shots, which does not show the
 * pair that is asked (Todd et al., ICLR 2024, section 2). The prompt of a teacher asks the same
 * pair after clean shots. The prompts that weights are derived from besides (enum method_texts) ask
 * about pairs for training.
 */
#ifndef STAGES_FIT_PROMPTS_H
#define STAGES_FIT_PROMPTS_H

#include "stages/fit_keys.h"

struct fit_prompts {
    struct source *source, *basis_source; /* basis_source NULL: none, or prompts of numbers */
    struct source *alone_source;   /* the queries of basis prompts without shots; NULL: none */
    struct source *teacher_source; /* of text; NULL: none */
    struct source *text_sources[METHOD_TEXTS];                       /* NULL: none */
    struct prompt_view prompts, basis, teacher, texts[METHOD_TEXTS]; /* of these sources */
    struct prompt_size size;                                         /* of text */
};

/* For fit_plan(): the source, to be closed by the caller, and the sizes of its prompts. ERR_CONFIG
 * or ERR_DATA for prompts that the model cannot read. T0: 0 without a basis. */
enum err_code fit_prompts_plan(struct source **source, struct prompt_size *size,
                               const struct fit_keys *k, const struct method_setup *s, size_t T0,
                               const struct config_point *point, struct err *err);

/* Draws them; fit_prompts_close() is NULL-safe for what is not there. */
enum err_code fit_prompts_draw(struct fit_prompts *p, const struct fit_keys *k,
                               const struct method_setup *s, size_t T0, const struct job_ctx *ctx,
                               struct err *err);
void fit_prompts_close(struct fit_prompts *p);

/* Bytes of what fit_prompts_draw() draws from a source like this one. */
size_t fit_prompts_bytes(const struct source *source, const struct fit_keys *k,
                         const struct method_setup *s, size_t T0);

#endif
