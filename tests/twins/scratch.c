#include "twins/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void give_up(const char *what) {
    perror(what);
    abort();
}

void scratch_create(struct scratch *s) {
    const char *root = getenv("TMPDIR");
    const int n = snprintf(s->folder, sizeof s->folder, "%s/taskvec_test_XXXXXX",
                           root && *root ? root : "/tmp");
    if (n < 0 || n >= (int)sizeof s->folder || !mkdtemp(s->folder)) give_up("mkdtemp");
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)info, (void)kind, (void)where;
    return remove(path);
}

void scratch_destroy(struct scratch *s) {
    if (nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) give_up(s->folder);
}

void scratch_path(char out[SCRATCH_PATH], const struct scratch *s, const char *name) {
    const int n = snprintf(out, SCRATCH_PATH, "%s/%s", s->folder, name);
    if (n < 0 || n >= SCRATCH_PATH) give_up(name);
}

void scratch_write(char out[SCRATCH_PATH], const struct scratch *s, const char *name,
                   const void *data, size_t size) {
    scratch_path(out, s, name);
    FILE *f = fopen(out, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) give_up(out);
}
