/* replay.c - feeds every file of the folders it is given to one fuzzed reader. A file that takes
 * longer than 10 s ends the program by SIGALRM, after its name. */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz/fuzz.h"

enum { SECONDS = 10, LARGEST = 1 << 20 };

static void replay(const char *path) {
    struct text data = {0};
    struct err err;
    if (file_read(&data, path, LARGEST, &err) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    /* A copy of just this size, so that ASan sees the first byte read beyond it. */
    uint8_t *exact = malloc(data.size ? data.size : 1);
    MUST(exact);
    if (data.size) memcpy(exact, data.data, data.size);
    (void)alarm(SECONDS);
    (void)LLVMFuzzerTestOneInput(exact, data.size);
    (void)alarm(0);
    free(exact);
    text_release(&data);
}

static size_t replay_folder(const char *folder) {
    char path[FILE_PATH_MAX];
    size_t n = 0;
    DIR *d = opendir(folder);
    if (!d) return 0;
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (e->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        (void)fprintf(stderr, "%s\n", path);
        replay(path);
        n++;
    }
    closedir(d);
    return n;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const size_t n = replay_folder(argv[i]);
        (void)printf("%s: %zu files replayed\n", argv[i], n);
        if (n == 0) return 1;
    }
    return argc > 1 ? 0 : 64;
}
