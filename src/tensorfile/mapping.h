/*
 * mapping.h - a whole file mapped read-only; all processes of a node share its pages.
 */
#ifndef TENSORFILE_MAPPING_H
#define TENSORFILE_MAPPING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

struct file_stamp { /* changes when another file takes the place of a path, or it is written to */
    uint64_t device, inode, size;
    int64_t written; /* time of the last change, in ns */
};

struct mapping {
    const unsigned char *data;
    size_t size;
    struct file_stamp stamp; /* when it was mapped */
};

/* ERR_DATA if the path is missing, unreadable, empty or not a regular file. */
enum err_code mapping_open(struct mapping *m, const char *path, struct err *err);
struct file_stamp mapping_stamp(const struct stat *info);
void mapping_close(struct mapping *m); /* idempotent */

#endif
