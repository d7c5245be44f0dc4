/*
 * pretrain_validation.h - the loss of a model in training on held-out prompts.
 *
 * The prompts are those of the split "pretrain/validation", which no training step draws (of text:
 * other prompts of the same pairs): the same for every repeat, with all points and coordinates,
 * whatever the curriculum shows. They are cut into the shards of a batch, so that any group of
 * ranks gives the same bits. Training is the same with and without validation.
 */
#ifndef STAGES_PRETRAIN_VALIDATION_H
#define STAGES_PRETRAIN_VALIDATION_H

#include <math.h>

#include "job/job.h"
#include "passes/train_step.h"
#include "sources/source.h"
#include "stages/pretrain_run.h"

struct pretrain_validation { /* all zero: there is none */
    struct source *source;
    double *sums; /* several of each own shard, then scratch */
};

/* Whether the loss is measured before this update: the first, every validation.every-th, the last.
 */
bool pretrain_validation_due(const struct pretrain_keys *k, int64_t step);

/* Nothing is allocated where validation is off. */
enum err_code pretrain_validation_create(struct pretrain_validation *v,
                                         const struct pretrain_keys *k, const struct job_ctx *ctx,
                                         struct err *err);
void pretrain_validation_destroy(struct pretrain_validation *v); /* idempotent */

struct pretrain_losses { /* NaN: not measured */
    double loss, over_variance, accuracy, query_accuracy;
};
#define PRETRAIN_NO_LOSSES                                                                         \
    ((struct pretrain_losses){(double)NAN, (double)NAN, (double)NAN, (double)NAN})

/* Mean over all held-out prompts and points, and the same divided by their E[y^2]; of text the mean
 * over all tokens of answers, and the shares that had the largest logit. step is used as
 * scratch; done: steps done, for the progress. Collective over the group; ERR_STOPPED on all its
 * ranks. */
enum err_code pretrain_validation_run(struct pretrain_losses *out,
                                      const struct pretrain_validation *v,
                                      const struct pretrain_keys *k, struct train_step *step,
                                      const struct params *params, struct job_ctx *ctx,
                                      int64_t done, struct err *err);

#endif
