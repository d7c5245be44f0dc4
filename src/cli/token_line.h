/*
 * token_line.h - a token as the end of a line for people.
 */
#ifndef CLI_TOKEN_LINE_H
#define CLI_TOKEN_LINE_H

#include "base/text.h"
#include "tokenizer/tokenizer.h"

/* Appends the token as in the vocabulary, what would break the line as \xNN, and a line break.
 * Rows of an embedding without a token of the tokenizer are named as such. */
void token_line(struct text *out, const struct tokenizer *t, int32_t id);

#endif
