/*
 * leave_one_out_rows.h - the table of `leave_one_out`: one row per head of a fit.
 */
#ifndef STAGES_MEASURES_LEAVE_ONE_OUT_ROWS_H
#define STAGES_MEASURES_LEAVE_ONE_OUT_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define LEAVE_ONE_OUT_ROW(X)                                                                       \
    X(TEXT, method, "", "method of the fit")                                                       \
    X(TEXT, reading, "", "variant of the method")                                                  \
    X(INT, fit_points, "points", "length of the prompts of the fit")                               \
    X(INT, repeat, "", "repeat of the fit")                                                        \
    X(TEXT, source, "", "problem of the test functions")                                           \
    X(INT, points, "points", "length of the test prompts, whose last x is asked")                  \
    X(INT, layer, "", "layer, from 0")                                                             \
    X(INT, head, "", "head of the layer, from 0")                                                  \
    X(INT, functions, "", "test functions, one query each")                                        \
    X(REAL, weight, "", "weight of the head")                                                      \
    X(REAL, mse, "", "mean over functions of the squared error without the head")                  \
    X(REAL, mse_change, "", "the same minus that with all heads; above 0: the head is needed")     \
    X(REAL, change_low, "", "lower end of the t interval of mse_change over functions")            \
    X(REAL, change_high, "", "upper end of that interval")                                         \
    X(INT, rank, "", "rank of mse_change among all heads; 1: the largest")                         \
    X(INT, wpe_seed, "", "seed of redrawn position embeddings; 0: those of the model")

ROW_DECLARE(leave_one_out_row, LEAVE_ONE_OUT_ROW);

#endif
