/*
 * pretrain_rows.h - the table of `pretrain`: one row per logged step.
 */
#ifndef STAGES_PRETRAIN_ROWS_H
#define STAGES_PRETRAIN_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define PRETRAIN_ROW(X)                                                                            \
    X(INT, step, "", "number of the update, from 1")                                               \
    X(REAL, loss, "", "mean over prompts and points of the step, before the update")               \
    X(REAL, loss_over_variance, "", "loss divided by E[y^2] of the step's active coordinates")     \
    X(REAL, lr, "", "learning rate")                                                               \
    X(INT, dims, "", "active coordinates")                                                         \
    X(INT, points, "points", "points of a prompt")                                                 \
    X(REAL, validation_loss, "", "mean over held-out prompts and all points, before the update")   \
    X(REAL, validation_over_variance, "", "validation_loss divided by E[y^2] of these prompts")

ROW_DECLARE(pretrain_row, PRETRAIN_ROW);

#endif
