/*
 * probe_rows.h - the table of `probe`: one row per layer, and one for all layers together.
 */
#ifndef STAGES_MEASURES_PROBE_ROWS_H
#define STAGES_MEASURES_PROBE_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define PROBE_ROW(X)                                                                               \
    X(TEXT, method, "", "method whose vectors are read, or control")                               \
    X(TEXT, reading, "", "variant of the method; for a control made from a fit, the fit's method") \
    X(INT, fit_points, "points",                                                                   \
      "length of the prompts of the fit; none: no fit (plain), or a method that does not read it") \
    X(INT, repeat, "", "repeat of the fit; 0 where there is none")                                 \
    X(TEXT, source, "", "problem of the functions")                                                \
    X(TEXT, features, "",                                                                          \
      "what is read: the task vector of each function, or of plain its state at a query")          \
    X(INT, basis_points, "points", "points of the prompt that they are made from")                 \
    X(INT, layer, "", "layer, from 0; none: all layers together")                                  \
    X(INT, numbers, "", "numbers that are read of each function; 0: the layer is not edited")      \
    X(INT, targets, "", "parameters of a function that are predicted")                             \
    X(INT, train, "", "functions that ridge regression is fitted to")                              \
    X(INT, test, "", "functions that r2 is measured on")                                           \
    X(REAL, penalty, "", "penalty, chosen on other functions for validation")                      \
    X(REAL, validation_r2, "", "r2 on these")                                                      \
    X(REAL, r2, "", "share of the variance of the parameters that is predicted, held out")         \
    X(REAL, r2_low, "", "lower end of its bootstrap interval over functions")                      \
    X(REAL, r2_high, "", "upper end of that interval")                                             \
    X(INT, wpe_seed, "", "seed of redrawn position embeddings; 0: those of the model")

ROW_DECLARE(probe_row, PROBE_ROW);

#endif
