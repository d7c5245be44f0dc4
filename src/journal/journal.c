#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/event.h"

static const double SYNC_EVERY = 0.5; /* seconds */
enum { LIMIT_GB = 64 };

static enum err_code io_error(struct err *err, const char *path, const char *step) {
    return ERR(err, ERR_IO, "%s: cannot %s: %s", path, step, strerror(errno));
}

static enum err_code path_in(char out[FILE_PATH_MAX], const char *dir, struct err *err) {
    const int n = snprintf(out, FILE_PATH_MAX, "%s/journal", dir);
    if (n < 0 || n >= FILE_PATH_MAX) return ERR(err, ERR_IO, "%.200s...: path too long", dir);
    return ERR_OK;
}

/* Counts lines and cuts off what follows the last newline: a line whose writer died. */
static enum err_code trim_last_line(struct journal *j, off_t *size, struct err *err) {
    char buffer[1 << 16];
    off_t at = 0, whole = 0;
    ssize_t n;
    while ((n = pread(j->fd, buffer, sizeof buffer, at)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (buffer[i] == '\n') j->lines++, whole = at + i + 1;
        at += n;
    }
    if (n < 0) return io_error(err, j->path, "read");
    if (at > whole && ftruncate(j->fd, whole) != 0) return io_error(err, j->path, "truncate");
    *size = whole;
    return ERR_OK;
}

/* This version may misread a later format, and a later version may misread lines that this one
 * appends to it. */
static enum err_code check_version(int version, const char *path, struct err *err) {
    if (version <= EVENT_VERSION) return ERR_OK;
    return ERR(err, ERR_CONFIG,
               "%s: written in format %d, this taskvec knows formats up to %d: resume with the "
               "taskvec that wrote it, or use another directory",
               path, version, EVENT_VERSION);
}

struct beginning {
    int version; /* of the format; 0: there is no first line, or it is damaged */
    bool folds;  /* points that differ in keys that are not read are one job */
};

static struct beginning beginning_of(int fd) {
    char buffer[256];
    struct event_reader r;
    struct beginning b = {0};
    const ssize_t n = pread(fd, buffer, sizeof buffer, 0);
    event_reader_init(&r, buffer, n > 0 ? (size_t)n : 0);
    if (event_reader_next(&r) && r.event.kind == EVENT_JOURNAL)
        b = (struct beginning){.version = (int)event_find_integer(&r.event, "version", 0),
                               .folds = event_find_integer(&r.event, "folds", 0) != 0};
    event_reader_release(&r);
    return b;
}

bool journal_is_whole(const char *dir) {
    char path[FILE_PATH_MAX];
    struct err ignored = {0};
    if (path_in(path, dir, &ignored) != ERR_OK) return false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const struct beginning b = beginning_of(fd);
    close(fd);
    return b.version > 0 && !b.folds;
}

static enum err_code first_line(struct journal *j, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text line = {0};
    event_begin(&line, EVENT_JOURNAL);
    event_integer(&line, "version", EVENT_VERSION);
    event_integer(&line, "folds", 1);
    event_end(&line);
    TRY(text_check(&line, err));
    journal_add(j, line.data, line.size);
    TRY(journal_sync(j, err));
cleanup:
    text_release(&line);
    return rc;
}

/* A new file is only as durable as its entry in the folder. */
static enum err_code sync_folder(const char *dir, struct err *err) {
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return io_error(err, dir, "open the folder");
    const int failed = fsync(fd);
    close(fd);
    return failed ? io_error(err, dir, "sync the folder") : ERR_OK;
}

enum err_code journal_open(struct journal *j, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    off_t size = 0;
    *j = (struct journal){.fd = -1, .last_sync = clock_now()};
    TRY(path_in(j->path, dir, err));
    j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->fd < 0) TRY(io_error(err, j->path, "open"));
    TRY(check_version(beginning_of(j->fd).version, j->path, err));
    TRY(trim_last_line(j, &size, err));
    if (size == 0) {
        TRY(first_line(j, err));
        TRY(sync_folder(dir, err));
    }
cleanup:
    if (rc != ERR_OK) (void)journal_close(j, NULL);
    return rc;
}

void journal_add(struct journal *j, const char *line, size_t size) {
    text_bytes(&j->buffer, line, size);
    j->lines++;
}

enum err_code journal_flush(struct journal *j, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(text_check(&j->buffer, err));
    while (j->buffer.size > 0) {
        const ssize_t n = disk_write(&j->disk, j->fd, j->buffer.data, j->buffer.size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) TRY(io_error(err, j->path, "write"));
        j->unsynced += (size_t)n;
        j->buffer.size -= (size_t)n;
        memmove(j->buffer.data, j->buffer.data + n, j->buffer.size);
    }
cleanup:
    return rc;
}

/* Writes to a file that was deleted succeed, and what they write is lost. */
static enum err_code check_place(const struct journal *j, struct err *err) {
    struct stat ours, there;
    if (fstat(j->fd, &ours) != 0) return io_error(err, j->path, "stat");
    const int failed = stat(j->path, &there);
    if (failed && errno != ENOENT) return io_error(err, j->path, "stat");
    if (!failed && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino) return ERR_OK;
    return ERR(
        err, ERR_IO,
        "%s: it was deleted or replaced while this run wrote it: its content is lost; the same "
        "command computes it again",
        j->path);
}

enum err_code journal_sync(struct journal *j, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(journal_flush(j, err));
    j->last_sync = clock_now();
    if (j->unsynced > 0 && disk_sync(&j->disk, j->fd) != 0 && errno != EINVAL)
        TRY(io_error(err, j->path, "sync"));
    j->unsynced = 0;
    TRY(check_place(j, err));
cleanup:
    return rc;
}

enum err_code journal_tick(struct journal *j, struct err *err) {
    if (clock_now() - j->last_sync >= SYNC_EVERY) return journal_sync(j, err);
    return j->buffer.size > 0 || j->buffer.failed ? journal_flush(j, err) : ERR_OK;
}

enum err_code journal_close(struct journal *j, struct err *err) {
    const enum err_code rc = j->fd >= 0 ? journal_sync(j, err) : ERR_OK;
    if (j->fd >= 0) close(j->fd);
    text_release(&j->buffer);
    j->fd = -1;
    return rc;
}

enum err_code journal_read(struct text *out, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    TRY(path_in(path, dir, err));
    if (file_exists(path)) TRY(file_read(out, path, (size_t)LIMIT_GB << 30, err));
cleanup:
    return rc;
}

enum err_code journal_history(struct history *out, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text data = {0};
    char path[FILE_PATH_MAX];
    TRY(path_in(path, dir, err));
    TRY(journal_read(&data, dir, err));
    TRY(history_replay(out, text_str(&data), data.size, err));
    rc = check_version(out->version, path, err);
    if (rc != ERR_OK) history_release(out);
cleanup:
    text_release(&data);
    return rc;
}
