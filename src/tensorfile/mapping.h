/*
 * mapping.h - a whole file mapped read-only; all processes of a node share its pages.
 */
#ifndef TENSORFILE_MAPPING_H
#define TENSORFILE_MAPPING_H

#include <stddef.h>

#include "base/err.h"

struct mapping {
    const unsigned char *data;
    size_t size;
};

/* ERR_DATA if the path is missing, unreadable, empty or not a regular file. */
enum err_code mapping_open(struct mapping *m, const char *path, struct err *err);
void mapping_close(struct mapping *m); /* idempotent */

#endif
