#include "cli/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LEAST = 20, MOST = 10000, USUAL = 80 };

size_t terminal_width(void) {
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");
    char *end = NULL;
    const long told = columns ? strtol(columns, &end, 10) : 0;
    if (columns && *end == '\0' && told >= LEAST && told <= MOST) return (size_t)told;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= LEAST) return size.ws_col;
    return USUAL;
}

enum err_code terminal_write(const struct text *out, struct err *err) {
    if (out->failed) return text_check(out, err);
    if (fwrite(text_str(out), 1, out->size, stdout) != out->size || fflush(stdout) != 0)
        return ERR(err, ERR_IO, "cannot write to standard output");
    return ERR_OK;
}
