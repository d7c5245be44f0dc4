/*
 * effects_prompts.h - the prompts of a map of heads: those of the split "effects". Of text, a
 * second source draws the same queries after shots with shuffled labels. Or sequences of random
 * tokens.
 */
#ifndef STAGES_EFFECTS_PROMPTS_H
#define STAGES_EFFECTS_PROMPTS_H

#include "activations/induction.h"
#include "sources/source.h"

enum err_code effects_prompts_open(struct source **out, const struct config_point *point,
                                   uint64_t seed, const struct model_dims *d, bool shuffled,
                                   struct err *err);

/* ERR_CONFIG for classes, for text with shuffled labels, and as source_check(). */
enum err_code effects_prompts_check(const struct source *source, const struct config_point *point,
                                    const struct model_dims *d, struct err *err);

/* All of them; valid as long as the source. */
enum err_code effects_prompts_draw(struct prompt_view *out, struct source *source,
                                   const struct config_point *point, struct err *err);

/* Of text: sets o->tokens to the longest context, and the numbers of clean and of shuffled prompts
 * that fit the model. ERR_CONFIG as source_check_lengths(). */
enum err_code effects_prompts_measure(struct causal_options *o, const struct config_point *point,
                                      uint64_t seed, const struct model_dims *d, struct err *err);

/* Prompts of the map, which may be fewer than asked for: of text, the shuffled ones. */
size_t effects_prompts_mapped(const struct causal_options *o);

/* Sequences of random tokens of the model; the caller adds the stream and the progress callback.
 * ERR_CONFIG where the model's positions or its vocabulary are too few. */
enum err_code effects_prompts_random(struct induction_options *out,
                                     const struct config_point *point, const struct model_dims *d,
                                     struct err *err);

#endif
