/*
 * train_step.h - loss and gradient of one part of a pretraining batch.
 *
 * The loss is the mean over all prompts of the batch and all their points of the squared error
 * (Garg et al., section 3), or of the logistic loss for classification.  A part computes its share
 * alone, so parts simply add up.  `pretrain` and `verify` both call this.
 */
#ifndef PASSES_TRAIN_STEP_H
#define PASSES_TRAIN_STEP_H

#include "model/forward.h"
#include "sources/prompt_loss.h"
#include "sources/prompt_view.h"

struct train_step {
    struct forward forward;
    float *tokens, *dprediction; /* [n, 2 points, dims], [n, points] */
    struct arena memory;
};

/* For parts of at most n prompts of at most `points` points. */
enum err_code train_step_create(struct train_step *s, const struct model_dims *dims, size_t n,
                                size_t points, struct err *err);
void train_step_destroy(struct train_step *s);
size_t train_step_bytes(const struct model_dims *dims, size_t n, size_t points);

/* Adds to gradient and returns weight * sum over prompts and points of the loss; weight = 1 / (all
 * prompts of the batch * points). s->forward holds the activations afterwards. */
double train_step_run(struct params *gradient, struct train_step *s, const struct params *p,
                      const struct prompt_view *part, const struct prompt_loss *loss,
                      double weight);

#endif
