/*
 * train_text.h - loss and gradient of one part (shard) of a pretraining batch of token ids.
 *
 * The loss is the cross entropy, in nats, of the tokens of all answers: those that a prompt shows
 * (prompt_text.next), and the one to its query, which follows the prompt. So every prompt trains
 * all numbers of shots up to its own at once.
 */
#ifndef PASSES_TRAIN_TEXT_H
#define PASSES_TRAIN_TEXT_H

#include "model/forward.h"
#include "model/vocabulary.h"
#include "sources/prompt_view.h"

struct train_score { /* of the last run */
    size_t correct;  /* tokens of answers that had the largest logit */
    size_t queries;  /* queries whose first token had */
};

struct train_text {
    struct forward forward;
    struct vocabulary vocabulary; /* for a chunk of predicted tokens */
    uint32_t *ids, *target;       /* [T] the sequences; what follows each token, or
                                     PROMPT_NO_TARGET */
    uint32_t *length;             /* [prompts] tokens of each sequence */
    uint32_t *row, *own;          /* [T] tokens of the part that predict; [chunk] their targets */
    float *x, *dx, *dlast;        /* [chunk, E], [chunk, E], [T, E] the gradient of x[L] */
    struct train_score score;
    struct arena memory;
};

/* For parts of at most n prompts, each of at most dims->positions tokens with its answer but for
 * the last. ERR_MEMORY. */
enum err_code train_text_create(struct train_text *s, const struct model_dims *dims, size_t n,
                                struct err *err);
void train_text_destroy(struct train_text *s); /* idempotent */
size_t train_text_bytes(const struct model_dims *dims, size_t n);

/* The number of tokens that the prompts train: of a whole batch, the weight is 1 divided by it. */
size_t train_text_answers(const struct prompt_view *prompts);

/* Returns weight * the sum of the losses of the part, whose prompts have prompt_text.next, and adds
 * its gradient to `gradient`. s->score holds the counts afterwards. */
double train_text_run(struct params *gradient, struct train_text *s, const struct params *p,
                      const struct prompt_view *part, double weight);

/* The same without a gradient. */
double train_text_loss(struct train_text *s, const struct params *p, const struct prompt_view *part,
                       double weight);

#endif
