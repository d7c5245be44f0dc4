/*
 * help_text.h - layout of help: paragraphs that wrap, and rows of one line.
 */
#ifndef CLI_HELP_TEXT_H
#define CLI_HELP_TEXT_H

#include "base/text.h"

enum { HELP_COLUMNS = 100 }; /* no line of help is longer */

/* A paragraph wrapped at HELP_COLUMNS. label: "" or a word such as "paper" in a column of its own.
 */
void help_paragraph(struct text *out, const char *label, const char *s);

/* A line without an indent, whose continuations have one. */
void help_line(struct text *out, const char *s);

/* "  left   s": two columns; s is wrapped in its own. */
void help_row(struct text *out, const char *left, const char *s);

#endif
