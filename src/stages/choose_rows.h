/*
 * choose_rows.h - the table of `choose`: one row per choice.
 */
#ifndef STAGES_CHOOSE_ROWS_H
#define STAGES_CHOOSE_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define CHOOSE_ROW(X)                                                                              \
    X(TEXT, method, "", "method of the fits")                                                      \
    X(TEXT, reading, "", "variant of the method in the chosen fit, where it has several")          \
    X(TEXT, source, "", "problem of the fits")                                                     \
    X(INT, points, "points", "length of the training prompts")                                     \
    X(INT, repeat, "", "repeat of the fits")                                                       \
    X(TEXT, key, "", "key whose value was chosen")                                                 \
    X(TEXT, chosen, "", "its value in the chosen fit")                                             \
    X(REAL, validation_loss, "", "validation loss of the chosen fit, in single precision")         \
    X(INT, candidates, "", "fits that it was chosen from")                                         \
    X(TEXT, values, "", "value of the key in each of them, in the order of the config")            \
    X(TEXT, losses, "", "validation loss of each of them, in the same order")

ROW_DECLARE(choose_row, CHOOSE_ROW);

#endif
