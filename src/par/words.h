/*
 * words.h - what a compute child says on its standard error: passed on as it comes, and the end of
 * it kept, for the reason of a job that took it down.
 */
#ifndef PAR_WORDS_H
#define PAR_WORDS_H

#include <stddef.h>

#include "base/err.h"

enum { WORDS_KEPT = 160 }; /* bytes */

struct words {
    int fd; /* to read from; -1: none */
    size_t n;
    char tail[WORDS_KEPT];
};

/* *end: the child's standard error, for the caller to close once the child has it. ERR_SYSTEM. */
enum err_code words_open(struct words *w, int *end, struct err *err);
void words_listen(struct words *w);  /* takes in what there is; never waits */
void words_release(struct words *w); /* idempotent; for {.fd = -1} too */

/* Appends "; its last words: ..." to a reason of `size` bytes, if there were any. */
void words_append(char *reason, size_t size, const struct words *w);

#endif
