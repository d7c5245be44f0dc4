/*
 * importance_rows.h - the table of `importance`: one row per head of a fit.
 */
#ifndef STAGES_IMPORTANCE_ROWS_H
#define STAGES_IMPORTANCE_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define IMPORTANCE_ROW(X)                                                                          \
    X(TEXT, method, "", "method of the fit")                                                       \
    X(TEXT, reading, "", "variant of the method")                                                  \
    X(INT, fit_points, "points", "length of the prompts of the fit")                               \
    X(INT, repeat, "", "repeat of the fit")                                                        \
    X(TEXT, source, "", "problem of the test functions")                                           \
    X(INT, points, "points", "length of the prompts on which heads are left out")                  \
    X(INT, layer, "", "layer, from 0")                                                             \
    X(INT, head, "", "head of the layer, from 0")                                                  \
    X(INT, functions, "", "test functions, one query each")                                        \
    X(REAL, weight, "", "weight of the head")                                                      \
    X(REAL, change, "", "weight minus its initial value; none: the fit began from a file")         \
    X(REAL, leave_one_out, "", "mean error with the weight set to 0, minus that with all weights") \
    X(REAL, out_low, "", "lower end of its t interval over functions")                             \
    X(REAL, out_high, "", "upper end of that interval")                                            \
    X(REAL, effect, "", "average indirect effect of the head, as in the stage effects")            \
    X(REAL, effect_low, "", "lower end of its t interval over prompts")                            \
    X(REAL, effect_high, "", "upper end of that interval")                                         \
    X(INT, weight_rank, "", "rank of the absolute weight among all heads; 1: the largest")         \
    X(INT, change_rank, "", "the same of the absolute change")                                     \
    X(INT, out_rank, "", "the same of leave_one_out")                                              \
    X(INT, effect_rank, "", "the same of effect")                                                  \
    X(INT, wpe_seed, "", "seed of redrawn position embeddings; 0: those of the model")

ROW_DECLARE(importance_row, IMPORTANCE_ROW);

#endif
