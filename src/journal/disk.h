/*
 * disk.h - write and sync with injected faults of the disk; par/inject.h says how tests order them.
 */
#ifndef JOURNAL_DISK_H
#define JOURNAL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct disk {     /* {0}: no faults */
    int error;    /* the next write fails with it: ENOSPC from then on, all others once */
    bool torn;    /* the next write writes half of its bytes */
    double delay; /* seconds added to every write and sync */
};

ssize_t disk_write(struct disk *d, int fd, const void *data, size_t size); /* as write() */
int disk_sync(const struct disk *d, int fd);                               /* as fdatasync() */

/* Called before a whole file is written. ERR_IO for an injected error. */
enum err_code disk_file(const struct disk *d, const char *path, struct err *err);

#endif
