/*
 * answer_text.h - whether tokens that a model predicts read as an answer.
 */
#ifndef SOURCES_TEXT_ANSWER_TEXT_H
#define SOURCES_TEXT_ANSWER_TEXT_H

#include <stdbool.h>

#include "tokenizer/tokenizer.h"

/* Both decode to one text, blanks at its ends aside. Upper and lower case differ: some tasks are
 * about nothing else. False for an id that the tokenizer does not have, as models have whose
 * vocabulary is padded. ERR_MEMORY. */
enum err_code answer_text_equal(bool *out, const struct tokenizer *t, const int32_t *ids, size_t n,
                                const int32_t *answer, size_t n_answer, struct err *err);

#endif
