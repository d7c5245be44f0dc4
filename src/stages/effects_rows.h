/*
 * effects_rows.h - the table of `effects`: one row per head, layer by layer.
 */
#ifndef STAGES_EFFECTS_ROWS_H
#define STAGES_EFFECTS_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define EFFECTS_ROW(X)                                                                             \
    X(TEXT, source, "", "problem of the functions, or task")                                       \
    X(INT, points, "points", "length of the prompts")                                              \
    X(TEXT, reading, "", "what counts as a head's output")                                         \
    X(TEXT, corruption, "", "how labels were shuffled")                                            \
    X(INT, layer, "", "layer, from 0")                                                             \
    X(INT, head, "", "head of the layer, from 0")                                                  \
    X(INT, prompts, "prompts", "prompts, each of another function")                                \
    X(REAL, effect, "",                                                                            \
      "average indirect effect: squared error on label-shuffled prompts, minus with the head "     \
      "patched; of text, probability of the answer's first token with the head patched, minus "    \
      "without")                                                                                   \
    X(REAL, effect_low, "", "lower end of its t interval over prompts")                            \
    X(REAL, effect_high, "", "upper end of that interval")                                         \
    X(INT, rank, "", "rank among all heads; 1: the largest effect")

ROW_DECLARE(effects_row, EFFECTS_ROW);

/* Of text, where heads are measured in several ways. */
#define EFFECTS_TEXT_ROW(X)                                                                        \
    EFFECTS_ROW(X)                                                                                 \
    X(TEXT, measure, "", "what `effect` is: patching, gradient or induction")

ROW_DECLARE(effects_text_row, EFFECTS_TEXT_ROW);

#endif
