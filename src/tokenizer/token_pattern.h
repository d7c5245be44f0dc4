/*
 * token_pattern.h - finds a literal text or a regular expression in UTF-8 text.
 *
 * The only user of PCRE2.  A pattern keeps scratch of its own: one thread at a time may use it.
 */
#ifndef TOKENIZER_TOKEN_PATTERN_H
#define TOKENIZER_TOKEN_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

struct token_pattern;

/* ERR_DATA beginning with `place`: syntax, or a pattern that matches an empty text. */
enum err_code token_pattern_regex(struct token_pattern **out, const char *regex, const char *place,
                                  struct err *err);
enum err_code token_pattern_literal(struct token_pattern **out, const char *literal,
                                    const char *place, struct err *err);
void token_pattern_free(struct token_pattern *p); /* NULL-safe */

/* The first match in text [size] that begins at `from` or later, never empty; *found tells whether
 * there is one. ERR_DATA: the search exceeds the limits of PCRE2. */
enum err_code token_pattern_find(bool *found, size_t *start, size_t *end,
                                 const struct token_pattern *p, const char *text, size_t size,
                                 size_t from, struct err *err);

/* Appends text [size] with `content` in place of every match. */
enum err_code token_pattern_replace(struct text *out, const struct token_pattern *p,
                                    const char *content, const char *text, size_t size,
                                    struct err *err);

void token_pattern_library(struct text *out); /* "PCRE2 10.42" */

#endif
