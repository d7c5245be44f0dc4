/*
 * tree.h - reads a config file into nodes through libconfig, and a single value from plain text.
 */
#ifndef CONFIG_SYNTAX_TREE_H
#define CONFIG_SYNTAX_TREE_H

#include "base/text.h"
#include "config/syntax/node.h"

/* The root group of one file. Any error in it, and a missing file too, is ERR_CONFIG. */
enum err_code tree_read(struct node **out, struct pool *p, const char *path, struct err *err);

/* The value of a default or of -s: 16, ltv, "two words", [1, 2]. Quotes may be left out. */
enum err_code tree_literal(struct node **out, struct pool *p, const char *text, struct place at,
                           struct err *err);

/* The string whose opening quote is at *s, with escapes resolved; *s advances past its closing
 * quote. */
enum err_code tree_quoted(const char **out, const char **s, struct pool *p, struct place place,
                          struct err *err);

void tree_library(struct text *out); /* "libconfig 1.5.0" */

#endif
