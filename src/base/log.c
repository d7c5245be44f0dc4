#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const PREFIX[] = {"error: ", "warning: ", "", ""};

void log_line(const struct log *log, enum log_level level, const char *fmt, ...) {
    if (level > log->level) return;
    char message[1024], place[24] = "";
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (log->rank > 0) (void)snprintf(place, sizeof place, "rank %d: ", log->rank);
    (void)fprintf(stderr, "taskvec: %s%s%s\n", place, PREFIX[level], message);
}
