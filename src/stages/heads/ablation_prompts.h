/*
 * ablation_prompts.h - the prompts of an ablation: those of evaluations, which are asked, and those
 * of causal maps, over which heads have their mean. Both with true labels and as many points.
 */
#ifndef STAGES_HEADS_ABLATION_PROMPTS_H
#define STAGES_HEADS_ABLATION_PROMPTS_H

#include "activations/causal_map.h"
#include "config/config.h"
#include "passes/head_ablation.h"
#include "sources/source.h"

struct ablation_prompts {
    struct source *asked, *mean_of;
    struct source_lengths lengths; /* of the asked ones */
    size_t points, items, chunk;   /* items: of the key `functions`, or all that there are */
    struct causal_options mean;    /* of causal_mean(), without the prompts' arrays */
};

/* Draws prompts of text once to measure them. ERR_CONFIG where they do not suit the model. Nothing
 * is reserved yet. */
enum err_code ablation_prompts_open(struct ablation_prompts *t, const struct config_point *point,
                                    uint64_t seed, const struct model_dims *d, struct err *err);
void ablation_prompts_close(struct ablation_prompts *t); /* idempotent */

/* The caller adds the model and the mean. */
struct head_ablation_options ablation_prompts_options(const struct ablation_prompts *t);

#endif
