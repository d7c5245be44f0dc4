/*
 * causal_text.h - the causal map on prompts of text: causal_map() calls it.
 *
 * Todd et al., ICLR 2024, section 2.3. The effect of a head on a label-shuffled prompt is the
 * probability of the first token of the true answer with the output of the head replaced by its
 * mean over clean prompts, minus the probability without that. Positive: the head helps, as on
 * numbers.
 */
#ifndef ACTIVATIONS_CAUSAL_TEXT_H
#define ACTIVATIONS_CAUSAL_TEXT_H

#include "activations/causal_map.h"
#include "sources/prompt_batch.h"

/* effect [L, H, o->corrupted.n]. ERR_MEMORY, or what o->progress returns. */
enum err_code causal_text_map(float *effect, const struct params *p, const struct basis *values,
                              const struct causal_options *o, struct err *err);
size_t causal_text_bytes(const struct model_dims *dims, const struct causal_options *o);

/* A batch of one chunk of so many prompts of text, one row for each; head_gradient.c uses it too.
 */
struct prompt_batch_options causal_text_batch(const struct causal_options *o,
                                              const struct model_dims *d, size_t prompts);

#endif
