#include "calibration/calibration_prune.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static const char PREFIX[] = "calibration-", ENDING[] = ".json";

enum { FILES_MOST = 4096, KEPT = 8, NAME = 128 };
static const double AGE_MOST = 30 * 86400.0;

struct found { /* a calibration of this host */
    char name[NAME];
    double written;
};

static bool is_calibration(const char *name) {
    const size_t size = strlen(name), ending = sizeof ENDING - 1;
    return size < NAME && size > sizeof PREFIX - 1 + ending &&
           strncmp(name, PREFIX, sizeof PREFIX - 1) == 0 &&
           strcmp(name + size - ending, ENDING) == 0;
}

static int latest_first(const void *a, const void *b) {
    const struct found *x = a, *y = b;
    if (x->written != y->written) return x->written < y->written ? 1 : -1;
    return strcmp(y->name, x->name);
}

static void remove_from(const char *folder, const char *name) {
    char path[FILE_PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n > 0 && n < FILE_PATH_MAX) (void)unlink(path);
}

/* Removes old files; the others of the host, whose names begin with `own`, are listed. */
static size_t list_files(struct found *list, DIR *d, const char *folder, const char *own,
                         double now) {
    size_t n = 0;
    for (struct dirent *e = readdir(d); e && n < FILES_MOST; e = readdir(d)) {
        struct stat s;
        if (!is_calibration(e->d_name) || fstatat(dirfd(d), e->d_name, &s, 0) != 0) continue;
        const double written = (double)s.st_mtim.tv_sec + 1e-9 * (double)s.st_mtim.tv_nsec;
        if (now - written > AGE_MOST) {
            remove_from(folder, e->d_name);
        } else if (strncmp(e->d_name, own, strlen(own)) == 0) {
            (void)snprintf(list[n].name, sizeof list[n].name, "%s", e->d_name);
            list[n++].written = written;
        }
    }
    return n;
}

void calibration_prune(const char *path, double now) {
    char folder[FILE_PATH_MAX], own[NAME];
    const char *slash = strrchr(path, '/');
    if (!slash || slash - path >= FILE_PATH_MAX) return;
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    (void)snprintf(own, sizeof own, "%.*s", (int)(strrchr(slash, '-') - slash), slash + 1);
    struct found *list = calloc(FILES_MOST, sizeof *list);
    DIR *d = list ? opendir(folder) : NULL;
    const size_t n = d ? list_files(list, d, folder, own, now) : 0;
    if (n > 0) qsort(list, n, sizeof *list, latest_first);
    for (size_t i = KEPT; i < n; i++) remove_from(folder, list[i].name);
    if (d) (void)closedir(d);
    free(list);
}
