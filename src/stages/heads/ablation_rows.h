/*
 * ablation_rows.h - the table of `ablation`: one row without any ablation, then the curves, point
 * by point.
 */
#ifndef STAGES_HEADS_ABLATION_ROWS_H
#define STAGES_HEADS_ABLATION_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define ABLATION_ROW(X)                                                                            \
    X(TEXT, source, "", "problem or task of the prompts")                                          \
    X(INT, k, "", "examples, or shots, before the query")                                          \
    X(INT, items, "", "prompts that were asked")                                                   \
    X(TEXT, ranking, "",                                                                           \
      "what chose the heads: patching, gradient, induction, weights or change of a fit, random; "  \
      "none: no head is ablated")                                                                  \
    X(TEXT, fit, "", "the fit of weights and change: its method, and its variant")                 \
    X(INT, repeat, "", "repeat of that fit; of random: number of the order; else 0")               \
    X(TEXT, excluded, "", "the ranking whose first heads were left out; none")                     \
    X(TEXT, excluded_fit, "", "the fit of that one")                                               \
    X(INT, excluded_repeat, "", "repeat of that fit; else 0")                                      \
    X(REAL, share, "", "share of the model's heads that is ablated")                               \
    X(INT, heads, "heads", "heads ablated: that share, or all that are left")                      \
    X(REAL, loss, "",                                                                              \
      "mean over prompts: squared error (of classes: share of wrong signs), or of text cross "     \
      "entropy of the answer, a token")                                                            \
    X(REAL, loss_low, "", "lower end of its t interval over prompts")                              \
    X(REAL, loss_high, "", "upper end of that interval")                                           \
    X(REAL, first_accuracy, "",                                                                    \
      "of text: share of prompts whose first answer token is the most likely")                     \
    X(REAL, first_low, "", "lower end of its t interval over prompts")                             \
    X(REAL, first_high, "", "upper end of that interval")                                          \
    X(REAL, accuracy, "",                                                                          \
      "of text: share of prompts all of whose answer tokens are the most likely")

ROW_DECLARE(ablation_row, ABLATION_ROW);

#endif
