/*
 * compare_rows.h - the table of `compare`: one row for each number of examples, reference and
 * layer.
 */
#ifndef STAGES_MEASURES_COMPARE_ROWS_H
#define STAGES_MEASURES_COMPARE_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define COMPARE_ROW(X)                                                                             \
    X(TEXT, method, "", "method applied to the model, or control")                                 \
    X(TEXT, reading, "", "variant of the method; for a control made from a fit, the fit's method") \
    X(INT, fit_points, "points",                                                                   \
      "length of the prompts of the fit; none: no fit (plain, window ...), or a method that does " \
      "not read it")                                                                               \
    X(INT, repeat, "", "repeat of the fit; 0 where there is none")                                 \
    X(TEXT, source, "", "problem of the test functions")                                           \
    X(TEXT, shift, "", "how the test prompts differ from the training prompts")                    \
    X(REAL, shift_level, "", "parameter of the shift: noise or factor; 0: it has none")            \
    X(INT, k, "examples", "examples seen before the query")                                        \
    X(TEXT, reference, "",                                                                         \
      "what the states are compared with: those of the plain model in its trained range "          \
      "(in_range), or after as many examples (same_k)")                                            \
    X(INT, reference_k, "examples", "examples that the plain model has seen there")                \
    X(INT, layer, "", "layer, from 0: states after its block, after the last one and the norm")    \
    X(INT, functions, "", "test functions, one query each")                                        \
    X(REAL, wasserstein, "",                                                                       \
      "1-Wasserstein distance of the entries of the leading left singular vectors, times the "     \
      "square root of functions")                                                                  \
    X(REAL, kolmogorov_smirnov, "", "largest difference of the distribution functions of these")   \
    X(REAL, frechet, "", "squared Frechet distance of normal distributions of states")             \
    X(REAL, mean_shift, "", "squared distance of the mean states, part of frechet")                \
    X(REAL, cka, "", "linear centred kernel alignment of the states, by function")                 \
    X(REAL, overlap, "", "mean squared cosine between the spaces of the first principal axes")     \
    X(REAL, angle, "degrees", "largest principal angle between these spaces")                      \
    X(REAL, explained, "", "share of the variance of the states along their first axes")           \
    X(REAL, mse, "", "mean over functions of the squared error, or share of wrong signs")          \
    X(REAL, mse_change, "", "mean over functions of the error minus that of the plain model")      \
    X(REAL, change_low, "", "lower end of the t interval of mse_change over functions")            \
    X(REAL, change_high, "", "upper end of that interval")                                         \
    X(INT, wpe_seed, "", "seed of redrawn position embeddings; 0: those of the model")

ROW_DECLARE(compare_row, COMPARE_ROW);

#endif
