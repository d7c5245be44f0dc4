/*
 * log.h - log lines on stderr. The struct is passed along; there is no global logger.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DETAIL };

struct log {
    enum log_level level; /* less urgent lines are not written */
    int rank;             /* printed unless 0 */
};

/* One whole line in one write; "taskvec: warning: ..." */
void log_line(const struct log *log, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
