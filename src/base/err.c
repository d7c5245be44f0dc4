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

static int rank_of_exit(int code) {
    switch ((enum exit_code)code) {
#define X(name, number, rank, meaning)                                                             \
    case name:                                                                                     \
        return rank;
        EXIT_CODES(X)
#undef X
    }
    return 0;
}

int err_worse_exit(int a, int b) { return rank_of_exit(a) < rank_of_exit(b) ? b : a; }

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
