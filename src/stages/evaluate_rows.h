/*
 * evaluate_rows.h - the table of `evaluate`: one row for every number k of examples seen.
 */
#ifndef STAGES_EVALUATE_ROWS_H
#define STAGES_EVALUATE_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define EVALUATE_ROW(X)                                                                            \
    X(TEXT, method, "", "method applied to the model, or control")                                 \
    X(TEXT, reading, "", "variant of the method; for a control made from a fit, the fit's method") \
    X(INT, fit_points, "points",                                                                   \
      "length of the prompts of the fit; none: no fit (plain, window ...), or a method that does " \
      "not read it")                                                                               \
    X(INT, repeat, "", "repeat of the fit; 0 where there is none")                                 \
    X(TEXT, source, "", "problem of the test functions")                                           \
    X(TEXT, shift, "", "how the test prompts differ from the training prompts")                    \
    X(REAL, shift_level, "", "parameter of the shift: noise or factor; 0: it has none")            \
    X(TEXT, dummies, "", "rule by which pairs of zeros are inserted into the prompts")             \
    X(INT, k, "examples", "examples seen before the query")                                        \
    X(INT, functions, "", "test functions")                                                        \
    X(REAL, mse, "", "mean over functions of the squared error, or share of wrong signs")          \
    X(REAL, mse_low, "", "lower end of the t interval of mse over functions")                      \
    X(REAL, mse_high, "", "upper end of that interval")                                            \
    X(REAL, mse_over_variance, "", "mse divided by E[y^2] of the problem without shift")           \
    X(INT, wpe_seed, "", "seed of redrawn position embeddings; 0: those of the model")

ROW_DECLARE(evaluate_row, EVALUATE_ROW);

#endif
