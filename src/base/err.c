#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    int exit_code;
    const char *text;
} CODES[] = {
#define X(code, exit_code, text) [code] = {exit_code, text},
    ERR_CODES(X)
#undef X
};

const char *err_text(enum err_code code) { return CODES[code].text; }

int err_exit_code(enum err_code code) { return CODES[code].exit_code; }

enum err_code err_set(struct err *err, enum err_code code, const char *file, int line,
                      const char *fmt, ...) {
    if (!err) return code;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    err->code = code;
    err->file = file;
    err->line = line;
    return code;
}
