/*
 * help_man.h - the man page taskvec(1), from the same texts as `taskvec help`.
 */
#ifndef CLI_HELP_MAN_H
#define CLI_HELP_MAN_H

#include "base/text.h"

/* Input of troff with the macros man(7); free of warnings of groff and mandoc. */
void help_man(struct text *out);

#endif
