/*
 * version.h - what built this program; recorded with every result.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#include <stdbool.h>
#include <stddef.h>

const char *version_number(void);       /* "0.3.0" */
const char *version_revision(void);     /* git commit, or "unknown" outside a checkout */
bool version_is_dirty(void);            /* tracked files differed from that commit */
const char *version_diff_sum(void);     /* SHA-256 of that difference, or "none" */
const void *version_diff(size_t *size); /* the difference; size 0: none, or beyond 1 MiB */
const char *version_compiler(void);     /* "GNU 12.2.0" */
const char *version_flags(void);

#endif
