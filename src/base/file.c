#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err_code io_error(struct err *err, const char *path, const char *step) {
    return ERR(err, ERR_IO, "%.500s: cannot %s: %s", path, step, strerror(errno));
}

enum err_code file_read(struct text *out, const char *path, size_t limit, struct err *err) {
    enum err_code rc = ERR_OK;
    char buffer[1 << 14];
    size_t n, total = 0;
    struct stat info;
    FILE *f = NULL;
    /* Opening a named pipe that has no writer would block. */
    CHECK(stat(path, &info) != 0 || !S_ISFIFO(info.st_mode) || strncmp(path, "/dev/", 5) == 0 ||
              strncmp(path, "/proc/", 6) == 0,
          ERR_DATA, "%.500s: a named pipe, not a plain file: give a file", path);
    f = fopen(path, "rb");
    if (!f) return io_error(err, path, "open");
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0) {
        total += n;
        CHECK(total <= limit, ERR_DATA, "%s: larger than %zu bytes, the most accepted here", path,
              limit);
        text_bytes(out, buffer, n);
    }
    if (ferror(f)) TRY(io_error(err, path, "read"));
    TRY(text_check(out, err));
cleanup:
    if (f) fclose(f);
    return rc;
}

static enum err_code write_all(int fd, const char *path, const void *data, size_t size,
                               struct err *err) {
    const char *at = data;
    while (size > 0) {
        const ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_error(err, path, "write");
        at += n;
        size -= (size_t)n;
    }
    return ERR_OK;
}

static enum err_code sync_path(const char *path, int flags, struct err *err) {
    enum err_code rc = ERR_OK;
    const int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return io_error(err, path, "open for sync");
    if (fsync(fd) != 0) rc = io_error(err, path, "sync");
    close(fd);
    return rc;
}

static void folder_of(char out[FILE_PATH_MAX], const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) {
        (void)snprintf(out, FILE_PATH_MAX, ".");
        return;
    }
    const int length = slash == path ? 1 : (int)(slash - path);
    (void)snprintf(out, FILE_PATH_MAX, "%.*s", length, path);
}

enum err_code file_temporary(char out[FILE_PATH_MAX], const char *path, struct err *err) {
    char host[64] = "host";
    (void)gethostname(host, sizeof host - 1);
    const int n = snprintf(out, FILE_PATH_MAX, "%s.tmp.%s.%ld", path, host, (long)getpid());
    if (n < 0 || n >= FILE_PATH_MAX) return ERR(err, ERR_IO, "%.200s...: path too long", path);
    return ERR_OK;
}

enum err_code file_publish(const char *temporary, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    char folder[FILE_PATH_MAX];
    TRY(sync_path(temporary, O_RDONLY, err));
    if (rename(temporary, path) != 0) TRY(io_error(err, path, "rename into place"));
    folder_of(folder, path);
    TRY(sync_path(folder, O_RDONLY | O_DIRECTORY, err));
cleanup:
    return rc;
}

void file_discard(const char *temporary) { (void)unlink(temporary); }

enum err_code file_replace(const char *path, const void *data, size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    char temporary[FILE_PATH_MAX] = "";
    int fd = -1;
    TRY(file_temporary(temporary, path, err));
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) TRY(io_error(err, temporary, "create"));
    TRY(write_all(fd, temporary, data, size, err));
    if (close(fd) != 0) {
        fd = -1;
        TRY(io_error(err, temporary, "close"));
    }
    fd = -1;
    TRY(file_publish(temporary, path, err));
cleanup:
    if (fd >= 0) close(fd);
    if (rc != ERR_OK && temporary[0]) file_discard(temporary);
    return rc;
}

enum err_code file_make_folder(const char *path, struct err *err) {
    char partial[FILE_PATH_MAX];
    const int n = snprintf(partial, sizeof partial, "%s", path);
    if (n <= 0 || n >= FILE_PATH_MAX)
        return ERR(err, ERR_IO, "%.200s...: path empty or too long", path);
    for (char *at = partial + 1;; at++) {
        if (*at != '/' && *at != '\0') continue;
        const char keep = *at;
        *at = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST)
            return io_error(err, partial, "create the folder");
        *at = keep;
        if (keep == '\0') break;
    }
    struct stat info;
    if (stat(path, &info) != 0) return io_error(err, path, "examine the folder");
    if (!S_ISDIR(info.st_mode)) return ERR(err, ERR_IO, "%s: exists and is not a folder", path);
    return ERR_OK;
}

bool file_exists(const char *path) { return access(path, F_OK) == 0; }

bool file_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum err_code file_resolve(char out[FILE_PATH_MAX], const char *from, const char *path,
                           struct err *err) {
    char folder[FILE_PATH_MAX];
    folder_of(folder, from);
    const bool plain = path[0] == '/' || strcmp(folder, ".") == 0;
    const int n = plain ? snprintf(out, FILE_PATH_MAX, "%s", path)
                        : snprintf(out, FILE_PATH_MAX, "%s/%s", folder, path);
    if (n < 0 || n >= FILE_PATH_MAX) return ERR(err, ERR_CONFIG, "%.200s...: path too long", path);
    return ERR_OK;
}
