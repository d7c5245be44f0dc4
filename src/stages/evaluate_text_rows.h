/*
 * evaluate_text_rows.h - the table of `evaluate` for prompts of text: one row a job.
 */
#ifndef STAGES_EVALUATE_TEXT_ROWS_H
#define STAGES_EVALUATE_TEXT_ROWS_H

#include "job/row.h"

/* X(type, name, unit, meaning), in the order of the columns; new ones go to the end. */
#define EVALUATE_TEXT_ROW(X)                                                                       \
    X(TEXT, method, "", "method applied to the model, or control")                                 \
    X(TEXT, reading, "", "variant of the method; for a control made from a fit, the fit's method") \
    X(INT, fit_points, "points",                                                                   \
      "length of the prompts of the fit; none: no fit (plain), or a method that does not read it") \
    X(INT, repeat, "", "repeat of the fit; 0 where there is none")                                 \
    X(TEXT, source, "", "task of the test items")                                                  \
    X(TEXT, shift, "", "how the test prompts differ: shuffled_labels, or none")                    \
    X(INT, k, "shots", "pairs shown before the query")                                             \
    X(INT, items, "items", "test items asked, each once")                                          \
    X(REAL, first_accuracy, "", "share of items whose first answer token is the most likely")      \
    X(REAL, first_low, "", "lower end of the t interval of first_accuracy over items")             \
    X(REAL, first_high, "", "upper end of that interval")                                          \
    X(REAL, accuracy, "", "share of items all of whose answer tokens are the most likely")         \
    X(REAL, accuracy_low, "", "lower end of the t interval of accuracy over items")                \
    X(REAL, accuracy_high, "", "upper end of that interval")                                       \
    X(REAL, loss, "nats", "mean over items of the cross entropy of the answer, a token")           \
    X(REAL, perplexity, "", "mean over items of exp(cross entropy of the answer, a token)")        \
    X(REAL, rank, "", "mean rank of the first answer token; 1: it is the most likely")             \
    X(INT, left_out, "items", "test items whose prompts are longer than the model's positions")    \
    X(REAL, stripped, "",                                                                          \
      "share of items whose most likely tokens read as the answer, blanks at its ends aside")      \
    X(REAL, stripped_low, "", "lower end of the t interval of stripped over items")                \
    X(REAL, stripped_high, "", "upper end of that interval")                                       \
    X(INT, crossed, "items",                                                                       \
      "items whose answer, encoded alone, has other tokens than after its query")

ROW_DECLARE(evaluate_text_row, EVALUATE_TEXT_ROW);

#endif
