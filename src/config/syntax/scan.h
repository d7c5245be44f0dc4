/*
 * scan.h - checks the text of a config before libconfig reads it.
 *
 * libconfig 1.5 wraps integers beyond 32 bits, includes files from the current directory, joins
 * neighbouring strings, cuts strings at NUL, recurses without limit, and reports most mistakes as
 * "syntax error". So the tokens are checked here first, with precise messages. libconfig then gets
 * the same text, line by line, with every number and string as a string that begins with its kind:
 * 16 becomes "n16", "ltv" becomes "sltv"; tree.c undoes that.
 */
#ifndef CONFIG_SYNTAX_SCAN_H
#define CONFIG_SYNTAX_SCAN_H

#include "base/text.h"

enum {
    SCAN_LARGEST = 256 * 1024, /* bytes of a config file */
    SCAN_DEPTH = 32,           /* nested brackets */
    SCAN_NUMBER = 'n',
    SCAN_STRING = 's'
};

/* Appends to *out the text for libconfig. `file` is for messages. ERR_CONFIG "file:line: ..." */
enum err_code scan_text(struct text *out, const struct text *in, const char *file, struct err *err);

#endif
