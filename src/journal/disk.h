/*
 * disk.h - writes as a bad disk does them, on demand (par/inject.h).
 */
#ifndef JOURNAL_DISK_H
#define JOURNAL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct disk {     /* {0}: nothing is wrong with it */
    int error;    /* the next write fails so: ENOSPC for good, all others once */
    bool torn;    /* of the next write only half arrives */
    double delay; /* seconds more that every write and sync takes */
};

ssize_t disk_write(struct disk *d, int fd, const void *data, size_t size); /* as write() */
int disk_sync(const struct disk *d, int fd);                               /* as fdatasync() */

/* A whole file is about to be written. ERR_IO. */
enum err_code disk_file(const struct disk *d, const char *path, struct err *err);

#endif
