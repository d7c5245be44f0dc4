/*
 * pretrain_step.h - loss and gradient of one part of a pretraining batch.
 *
 * The loss is the mean over all prompts of the batch and all their points of the squared error
 * (Garg et al., section 3), or of the logistic loss for classification.  A part computes its share
 * alone, so parts simply add up.  `pretrain` and `verify` both call this.
 */
#ifndef STAGES_PRETRAIN_STEP_H
#define STAGES_PRETRAIN_STEP_H

#include "model/forward.h"
#include "model/prompt_view.h"
#include "problems/problem.h"

struct pretrain_step {
    struct forward forward;
    float *tokens, *dprediction; /* [n, 2 points, dims], [n, points] */
    struct arena memory;
};

/* For parts of at most n prompts of at most `points` points. */
enum err_code pretrain_step_create(struct pretrain_step *s, const struct model_dims *dims, size_t n,
                                   size_t points, struct err *err);
void pretrain_step_destroy(struct pretrain_step *s);
size_t pretrain_step_bytes(const struct model_dims *dims, size_t n, size_t points);

/* Adds to gradient and returns weight * sum over prompts and points of the loss; weight = 1 / (all
 * prompts of the batch * points). s->forward holds the activations afterwards. */
double pretrain_step_run(struct params *gradient, struct pretrain_step *s, const struct params *p,
                         const struct prompt_view *part, enum problem_loss loss, double weight);

#endif
