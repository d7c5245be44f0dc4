/*
 * log.h - lines for people on stderr; a struct that travels, no global.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DETAIL };

struct log {
    enum log_level level; /* what is less urgent than this is not written */
    int rank;             /* named in the line unless 0 */
};

/* One whole line in one write; "taskvec: warning: ..." */
void log_line(const struct log *log, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
