/*
 * pattern_syntax.h - rewrites a regular expression of a tokenizer.json for PCRE2.
 *
 * The reference library compiles these patterns with Oniguruma (Ruby syntax).  Syntax that means
 * the same in both passes, \s \S \d \D become the properties that Oniguruma means (PCRE2's own \s
 * also has U+180E), and everything else is refused by name.
 */
#ifndef TOKENIZER_PATTERN_SYNTAX_H
#define TOKENIZER_PATTERN_SYNTAX_H

#include "base/err.h"
#include "base/text.h"

/* Appends to *out. ERR_DATA beginning with `place`. */
enum err_code pattern_syntax_rewrite(struct text *out, const char *regex, const char *place,
                                     struct err *err);

#endif
