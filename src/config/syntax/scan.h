/*
 * scan.h - the pass over a config's text before libconfig sees it.
 *
 * libconfig 1.5 wraps integers beyond 32 bits, includes files from the current folder, joins
 * neighbouring strings, cuts strings at NUL, recurses as deep as the file says, and calls most
 * mistakes "syntax error". So the tokens are read here first, mistakes get a line that helps, and
 * libconfig is handed the same text, line by line, with every number and string as a string
 * that starts with its kind: 16 becomes "n16", "ltv" becomes "sltv".
 */
#ifndef CONFIG_SYNTAX_SCAN_H
#define CONFIG_SYNTAX_SCAN_H

#include "base/text.h"

enum {
    SCAN_LARGEST = 256 * 1024, /* bytes of a config file */
    SCAN_DEPTH = 32,           /* brackets within brackets */
    SCAN_NUMBER = 'n',
    SCAN_STRING = 's'
};

/* Appends to *out what libconfig is to read. `file` is for messages. ERR_CONFIG "file:line: ..." */
enum err_code scan_text(struct text *out, const struct text *in, const char *file, struct err *err);

#endif
