/*
 * fit_rows.h - the table of `fit`: one row per job.
 */
#ifndef STAGES_FIT_ROWS_H
#define STAGES_FIT_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define FIT_ROW(X)                                                                                 \
    X(TEXT, method, "", "method that was fitted")                                                  \
    X(TEXT, reading, "", "variant of the method, where it has several")                            \
    X(INT, points, "points", "length of the training prompts; none: the method reads T0 of them")  \
    X(INT, basis_points, "points", "T0: point at which the basis is read; 0: no basis")            \
    X(INT, repeat, "", "repeat: its own initial weights, shuffles and prompts")                    \
    X(INT, epochs, "", "passes over the training prompts")                                         \
    X(INT, best_epoch, "", "epoch whose weights were kept")                                        \
    X(REAL, train_loss, "", "mean training loss of the last epoch; NaN: there was no epoch")       \
    X(REAL, validation_loss, "", "validation loss of the kept weights")                            \
    X(REAL, weight_norm, "", "Euclidean norm of the kept weights")                                 \
    X(TEXT, end, "", "why the fit ended: patience, epochs, converged (L-BFGS), derived")           \
    X(REAL, choice, "", "value chosen on validation prompts, such as a layer; NaN: none")          \
    X(INT, nonzero, "", "kept weights that are not 0")

ROW_DECLARE(fit_row, FIT_ROW);

#endif
