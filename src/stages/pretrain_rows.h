/*
 * pretrain_rows.h - the table of `pretrain`: one row per logged step.
 */
#ifndef STAGES_PRETRAIN_ROWS_H
#define STAGES_PRETRAIN_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define PRETRAIN_ROW(X)                                                                            \
    X(INT, step, "", "number of the update, from 1")                                               \
    X(REAL, loss, "",                                                                              \
      "mean over prompts and points of the step, before the update; of text in "                   \
      "nats, over all tokens of answers")                                                          \
    X(REAL, loss_over_variance, "", "loss divided by E[y^2] of the step's active coordinates")     \
    X(REAL, lr, "", "learning rate")                                                               \
    X(INT, dims, "", "active coordinates")                                                         \
    X(INT, points, "points", "points of a prompt")                                                 \
    X(REAL, validation_loss, "", "mean over held-out prompts and all points, before the update")   \
    X(REAL, validation_over_variance, "", "validation_loss divided by E[y^2] of these prompts")    \
    X(REAL, accuracy, "", "of text: share of these tokens that had the largest logit")             \
    X(REAL, query_accuracy, "", "the same of the first token after the last query of a prompt")    \
    X(REAL, validation_accuracy, "", "accuracy on held-out prompts")                               \
    X(REAL, validation_query_accuracy, "", "query_accuracy on held-out prompts")

ROW_DECLARE(pretrain_row, PRETRAIN_ROW);

#endif
