/*
 * standard_input.h - the whole of standard input, for commands that read a text.
 */
#ifndef CLI_STANDARD_INPUT_H
#define CLI_STANDARD_INPUT_H

#include "base/err.h"
#include "base/text.h"

/* Appends it to *out. ERR_IO; ERR_DATA beyond 2^30 bytes. */
enum err_code standard_input_read(struct text *out, struct err *err);

#endif
