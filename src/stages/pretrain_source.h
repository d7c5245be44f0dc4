/*
 * pretrain_source.h - what differs between pretraining on functions and on text: how prompts are
 * drawn, what is refused, and how many tokens there are.
 *
 * Prompts of text show and ask all pairs of their tasks, since the model is to know them; the parts
 * of a task (sources/text/task.h) are for what is fitted to the model afterwards.
 */
#ifndef STAGES_PRETRAIN_SOURCE_H
#define STAGES_PRETRAIN_SOURCE_H

#include "sources/source.h"
#include "stages/pretrain_run.h"

/* Room for n prompts of k->points points. split: names the prompts. */
enum err_code pretrain_source_open(struct source **out, const struct pretrain_keys *k,
                                   const struct config_point *point, uint64_t seed,
                                   const char *split, size_t n, struct err *err);

/* The prompts of a step, from 1. ERR_DATA where a prompt of text cannot be written, or is longer
 * than the model's positions and source.too_long is "refuse". */
enum err_code pretrain_source_draw(struct prompt_view *out, struct source *source,
                                   const struct pretrain_keys *k, int64_t step, struct err *err);

/* Of the last draw of text, whatever drew it: the same errors. ERR_OK for functions. */
enum err_code pretrain_source_status(const struct source *source, const struct pretrain_keys *k,
                                     struct err *err);

/* Tokens of a prompt, and predictions in it, on average over the first few prompts; of functions
 * those of k->points points. For plan: a source with room for n prompts. */
struct pretrain_prompt {
    double tokens, answers;
};
enum err_code pretrain_source_measure(struct pretrain_prompt *out, struct source *source,
                                      const struct pretrain_keys *k, size_t n, struct err *err);

#endif
