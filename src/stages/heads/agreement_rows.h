/*
 * agreement_rows.h - the table of `agreement`: one row for every two orders of heads.
 */
#ifndef STAGES_HEADS_AGREEMENT_ROWS_H
#define STAGES_HEADS_AGREEMENT_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define AGREEMENT_ROW(X)                                                                           \
    X(TEXT, source, "", "problem or task that both orders are of")                                 \
    X(TEXT, ranking, "",                                                                           \
      "what the first order is by: patching, gradient, induction, weights or change of a fit, "    \
      "left_out: the error without the head")                                                      \
    X(TEXT, fit, "", "the fit of weights and change: its method, and its variant")                 \
    X(INT, repeat, "", "repeat of that fit; else 0")                                               \
    X(TEXT, other, "", "what the second order is by")                                              \
    X(TEXT, other_fit, "", "the fit of that one")                                                  \
    X(INT, other_repeat, "", "repeat of that fit; else 0")                                         \
    X(INT, heads, "heads", "heads of the model")                                                   \
    X(REAL, spearman, "", "rank correlation of both orders: 1 where they are the same")            \
    X(INT, top, "heads", "heads at the beginning of both orders that are compared")                \
    X(REAL, overlap, "", "share of these that both orders have")                                   \
    X(REAL, expected, "", "overlap of two unrelated orders")

ROW_DECLARE(agreement_row, AGREEMENT_ROW);

#endif
