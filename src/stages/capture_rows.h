/*
 * capture_rows.h - the table of `capture`: one row per layer of the model.
 */
#ifndef STAGES_CAPTURE_ROWS_H
#define STAGES_CAPTURE_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define CAPTURE_ROW(X)                                                                             \
    X(INT, points, "points", "length of the prompts")                                              \
    X(INT, layer, "", "layer, from 0")                                                             \
    X(REAL, heads_norm, "", "mean over prompts of the norm of the head outputs at the query")      \
    X(REAL, attention_norm, "", "the same of the attention block's output")                        \
    X(REAL, hidden_norm, "", "the same of the residual stream after the block")

ROW_DECLARE(capture_row, CAPTURE_ROW);

#endif
