#include "journal/disk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static void add_delay(const struct disk *d) {
    if (d->delay > 0.0) clock_sleep(d->delay);
}

ssize_t disk_write(struct disk *d, int fd, const void *data, size_t size) {
    add_delay(d);
    if (d->torn) {
        d->torn = false;
        return write(fd, data, (size + 1) / 2);
    }
    if (!d->error) return write(fd, data, size);
    errno = d->error;
    if (d->error != ENOSPC) d->error = 0;
    return -1;
}

int disk_sync(const struct disk *d, int fd) {
    add_delay(d);
    return fdatasync(fd);
}

enum err_code disk_file(const struct disk *d, const char *path, struct err *err) {
    add_delay(d);
    if (!d->error) return ERR_OK;
    return ERR(err, ERR_IO, "%s: cannot write: %s", path, strerror(d->error));
}
