/*
 * error_says.h - assertions about the code and the message of an error.
 */
#ifndef TWINS_ERROR_SAYS_H
#define TWINS_ERROR_SAYS_H

#include <string.h>

#include "base/err.h"

/* The call uses `&err` of the surrounding scope; the message is one line that holds `words`. */
#define ERROR_SAYS(call, expected_code, words)                                                     \
    do {                                                                                           \
        const enum err_code code_ = (call);                                                        \
        if (code_ != (expected_code) || !strstr(err.msg, (words)) || strchr(err.msg, '\n'))        \
            fail_msg("expected %s with \"%s\", received %s: %s", err_text(expected_code), (words), \
                     err_text(code_), code_ == ERR_OK ? "" : err.msg);                             \
    } while (0)

#define SUCCEEDS(call)                                                                             \
    do {                                                                                           \
        if ((call) != ERR_OK) fail_msg("%s", err.msg);                                             \
    } while (0)

#endif
