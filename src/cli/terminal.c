#include "cli/terminal.h"

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
