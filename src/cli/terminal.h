/*
 * terminal.h - standard output: the width of its lines for people, and writing to it at once.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

/* Characters of a line: COLUMNS where it is a number from 20 on, else the width of the terminal
 * that standard output is, else 80. */
size_t terminal_width(void);

/* Writes the text and flushes. ERR_IO; ERR_MEMORY where a part of the text is missing. */
enum err_code terminal_write(const struct text *out, struct err *err);

#endif
