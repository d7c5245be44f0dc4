/*
 * estimate_rows.h - the table of `estimate`: one row for every number k of examples seen.
 */
#ifndef STAGES_ESTIMATE_ROWS_H
#define STAGES_ESTIMATE_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define ESTIMATE_ROW(X)                                                                            \
    X(TEXT, method, "", "estimator")                                                               \
    X(TEXT, reading, "", "keys of the estimator: NAME=VALUE")                                      \
    X(TEXT, source, "", "problem of the test functions")                                           \
    X(TEXT, shift, "", "how the test prompts differ from those of the problem")                    \
    X(REAL, shift_level, "", "parameter of the shift: noise or factor; 0: it has none")            \
    X(INT, k, "examples", "examples seen before the query")                                        \
    X(INT, functions, "", "test functions")                                                        \
    X(REAL, mse, "", "mean over functions of the squared error, or share of wrong signs")          \
    X(REAL, mse_low, "", "lower end of the t interval of mse over functions")                      \
    X(REAL, mse_high, "", "upper end of that interval")                                            \
    X(REAL, mse_over_variance, "", "mse divided by E[y^2] of the problem without shift")

ROW_DECLARE(estimate_row, ESTIMATE_ROW);

#endif
