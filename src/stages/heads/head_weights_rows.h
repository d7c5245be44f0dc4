/*
 * head_weights_rows.h - the table of `head_weights`: one row per head, layer by layer.
 */
#ifndef STAGES_HEADS_HEAD_WEIGHTS_ROWS_H
#define STAGES_HEADS_HEAD_WEIGHTS_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define HEAD_WEIGHTS_ROW(X)                                                                        \
    X(TEXT, method, "", "method of the fit")                                                       \
    X(TEXT, reading, "", "variant of the method, where it has several")                            \
    X(TEXT, source, "", "problem or task of the fit")                                              \
    X(INT, points, "points", "length of the prompts of the fit")                                   \
    X(INT, repeat, "", "repeat of the fit")                                                        \
    X(INT, layer, "", "layer, from 0")                                                             \
    X(INT, head, "", "head of the layer, from 0")                                                  \
    X(REAL, weight, "", "weight of the head")                                                      \
    X(REAL, initial, "", "the weight that the fit began from")                                     \
    X(REAL, change, "", "weight minus initial")                                                    \
    X(INT, rank, "", "rank among all heads by the size of the weight; 1: the largest")             \
    X(INT, change_rank, "", "the same by the size of the change")

ROW_DECLARE(head_weights_row, HEAD_WEIGHTS_ROW);

#endif
