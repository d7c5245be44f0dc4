/*
 * train_step.h - loss and gradient of one part (shard) of a pretraining batch.
 *
 * The loss is the mean over all prompts of the batch and all their points of the squared error
 * (Garg et al., NeurIPS 2022, section 3), or of the logistic loss for classes; of prompts of token
 * ids it is that of train_text.h. A part computes its share on its own, and the shares add up.
 * `pretrain` and `verify` both use this.
 */
#ifndef PASSES_TRAIN_STEP_H
#define PASSES_TRAIN_STEP_H

#include "model/forward.h"
#include "passes/train_text.h"
#include "sources/prompt_loss.h"
#include "sources/prompt_view.h"

struct train_step {
    struct forward forward;
    float *tokens, *dprediction; /* [n, 2 points, dims], [n, points] */
    struct arena memory;
    struct train_text text; /* of families of token ids, instead of all before it */
};

/* For parts of at most n prompts of at most `points` points, or of as many tokens as the model has
 * positions. */
enum err_code train_step_create(struct train_step *s, const struct model_dims *dims, size_t n,
                                size_t points, struct err *err);
void train_step_destroy(struct train_step *s);
size_t train_step_bytes(const struct model_dims *dims, size_t n, size_t points);

/* What the loss is the mean of: all points of the prompts, or all tokens of their answers. */
size_t train_step_answers(const struct prompt_view *prompts);

/* weight * the sum of the loss over the prompts and points of the part, without a gradient. */
double train_step_loss(struct train_step *s, const struct params *p, const struct prompt_view *part,
                       const struct prompt_loss *loss, double weight);

/* Returns weight * the sum of the loss over the prompts and points of the part and adds its
 * gradient to `gradient`; weight = 1 / train_step_answers() of the whole batch. s->forward holds
 * the activations afterwards. */
double train_step_run(struct params *gradient, struct train_step *s, const struct params *p,
                      const struct prompt_view *part, const struct prompt_loss *loss,
                      double weight);

#endif
