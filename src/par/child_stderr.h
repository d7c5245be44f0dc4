/*
 * child_stderr.h - what a compute child says on its standard error: passed on as it comes, and the
 * end of it kept, for the reason of a job that took it down.
 */
#ifndef PAR_CHILD_STDERR_H
#define PAR_CHILD_STDERR_H

#include <stddef.h>

#include "base/err.h"

enum { WORDS_KEPT = 160 }; /* bytes */

struct child_stderr {
    int fd; /* to read from; -1: none */
    size_t n;
    char tail[WORDS_KEPT];
};

/* *end: the child's standard error, for the caller to close once the child has it. ERR_SYSTEM. */
enum err_code child_stderr_open(struct child_stderr *w, int *end, struct err *err);
void child_stderr_listen(struct child_stderr *w);  /* takes in what there is; never waits */
void child_stderr_release(struct child_stderr *w); /* idempotent; for {.fd = -1} too */

/* Appends "; its last words: ..." to a reason of `size` bytes, if there were any. */
void child_stderr_append(char *reason, size_t size, const struct child_stderr *w);

#endif
