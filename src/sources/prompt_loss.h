/*
 * prompt_loss.h - how predictions of queries are evaluated: a loss with its gradient, and an error.
 *
 * A source determines the loss with which a model is trained on its prompts (source_info.loss); a
 * fit of a task vector uses the loss of its key `loss`. Predictions and targets are those of query
 * rows (prompt_batch.h) or of all x tokens of whole prompts (forward.h).
 */
#ifndef SOURCES_PROMPT_LOSS_H
#define SOURCES_PROMPT_LOSS_H

#include <stddef.h>

enum prompt_loss_kind {
    LOSS_SQUARED,
    LOSS_HUBER,         /* with struct prompt_loss.delta */
    LOSS_LOGISTIC,      /* of classes -1 and 1 */
    LOSS_CROSS_ENTROPY, /* of token ids: model/vocabulary.h computes it */
    LOSS_DIVERGENCE     /* of token ids: from the distribution of a teacher (passes/teacher.h) */
};

struct prompt_loss {
    enum prompt_loss_kind kind;
    double delta;
    double cross_entropy; /* of LOSS_DIVERGENCE: weight of the cross entropy that is added; 0: true
                             answers are not read */
};

/* weight * sum over i of the loss of prediction[i], in double. Adds the gradient to dprediction
 * [n] unless that is NULL: see ops/loss.h. */
double prompt_loss_sum(float *dprediction, const struct prompt_loss *loss, const float *prediction,
                       const float *target, double weight, size_t n);

/* What tables report of one prediction: its squared error, or of classes 1 for a wrong sign (0
 * counts as negative). NaN stays NaN. */
float prompt_loss_error(const struct prompt_loss *loss, float prediction, float target);

/* What the mean of these errors is called: "mean squared error", "share of wrong signs", ... */
const char *prompt_loss_error_name(const struct prompt_loss *loss);

#endif
