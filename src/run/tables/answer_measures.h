/*
 * answer_measures.h - what is measured of each item of an evaluation on text: a number each, whose
 * mean a table shows.
 */
#ifndef RUN_TABLES_ANSWER_MEASURES_H
#define RUN_TABLES_ANSWER_MEASURES_H

#include "base/err.h"

/* X(id, column, beginning of the columns _low and _high, meaning): the options of `taskvec table
 * --measure` in this order. */
#define ANSWER_MEASURES(X)                                                                         \
    X(ACCURACY, "accuracy", "accuracy",                                                            \
      "share of items whose whole answer is the most likely, token by token")                      \
    X(FIRST, "first_accuracy", "first",                                                            \
      "share of items whose first answer token is the most likely")                                \
    X(STRIPPED, "stripped", "stripped",                                                            \
      "share of items whose most likely tokens read as the answer, blanks at its ends aside")      \
    X(LOSS, "loss", "loss", "cross entropy of an answer, a token, in nats")                        \
    X(PERPLEXITY, "perplexity", "perplexity", "exp(cross entropy of an answer, a token)")          \
    X(RANK, "rank", "rank", "rank of the first answer token, 1: it is the most likely")            \
    X(D_NTP, "d_ntp", "d_ntp",                                                                     \
      "KL of the next token, plain with the most shots || method, over the first tokens of all "   \
      "answers, in nats")                                                                          \
    X(WORSE, "worse", "worse",                                                                     \
      "share of items whose answer is less likely than under plain on the same prompts")

enum answer_measure {
#define X(id, column, ends, meaning) MEASURE_##id,
    ANSWER_MEASURES(X)
#undef X
        ANSWER_MEASURES_N
};

struct answer_measure_info {
    const char *column, *ends, *meaning;
};
extern const struct answer_measure_info ANSWER_MEASURE[ANSWER_MEASURES_N];

/* ERR_USAGE with the names for another one. */
enum err_code answer_measure_read(enum answer_measure *out, const char *name, struct err *err);

#endif
