/*
 * universal_rows.h - the table of `universal`: a row for each task, then one for each of the first
 * heads.
 */
#ifndef STAGES_UNIVERSAL_ROWS_H
#define STAGES_UNIVERSAL_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define UNIVERSAL_ROW(X)                                                                           \
    X(TEXT, source, "", "task or problem of a map; of a universal head \"all\"")                   \
    X(TEXT, measure, "", "what the effects are: patching or gradient")                             \
    X(INT, prompts, "prompts", "prompts of the map; of a universal head none")                     \
    X(INT, layer, "", "layer of its head of largest effect; of a universal head its own")          \
    X(INT, head, "", "that head of the layer")                                                     \
    X(REAL, effect, "", "effect of this head: mean over prompts; of a universal head over tasks")  \
    X(REAL, effect_low, "",                                                                        \
      "lower end of its t interval, of a task at the level divided by the number of heads")        \
    X(INT, used, "", "1: the map is part of the mean over tasks; 0: it is left out")               \
    X(TEXT, reason, "", "why it is left out")                                                      \
    X(INT, tasks, "tasks", "tasks that the mean of a universal head is over")                      \
    X(INT, rank, "", "rank of a universal head; 1: the largest mean effect")

ROW_DECLARE(universal_row, UNIVERSAL_ROW);

#endif
