/*
 * child_stderr.h - the standard error of a compute child: passed on to that of the supervisor at
 * once. Its tail becomes part of the reason of a job during which the child died.
 */
#ifndef PAR_CHILD_STDERR_H
#define PAR_CHILD_STDERR_H

#include <stddef.h>

#include "base/err.h"

enum { STDERR_TAIL = 160 }; /* bytes */

struct child_stderr {
    int fd; /* to read from; -1: none */
    size_t n;
    char tail[STDERR_TAIL];
};

/* *end: the child's standard error, for the caller to close once the child has it. ERR_SYSTEM. */
enum err_code child_stderr_open(struct child_stderr *w, int *end, struct err *err);
void child_stderr_read(struct child_stderr *w);    /* reads what there is; never waits */
void child_stderr_release(struct child_stderr *w); /* idempotent; for {.fd = -1} too */

/* Appends "; its stderr ends: ..." to a reason of `size` bytes, unless the tail is blank. */
void child_stderr_append(char *reason, size_t size, const struct child_stderr *w);

#endif
