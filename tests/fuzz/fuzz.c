#include "fuzz/fuzz.h"

#include <ftw.h>
#include <unistd.h>

#include "base/file.h"

static char folder[64] = ""; /* libFuzzer gives no place for it */

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static void remove_folder(void) { (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

/* A disk that others keep busy lets an open() wait for longer than any input may take. */
static const char *memory_or_disk(void) {
    return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

const char *fuzz_folder(void) {
    if (*folder) return folder;
    (void)snprintf(folder, sizeof folder, "%s/taskvec_fuzz_XXXXXX", memory_or_disk());
    MUST(mkdtemp(folder));
    MUST(atexit(remove_folder) == 0);
    return folder;
}

const char *fuzz_file(const char *name, const void *data, size_t size) {
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    FILE *f = fopen(path, "wb");
    MUST(f);
    MUST(size == 0 || fwrite(data, 1, size, f) == size);
    MUST(fclose(f) == 0);
    return path;
}
