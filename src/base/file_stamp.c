#include "base/file_stamp.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

void file_stamp_add(struct hash *h, const char *path) {
    struct stat s;
    hash_text(h, path);
    if (stat(path, &s) != 0) return;
    const int64_t numbers[] = {(int64_t)s.st_dev, (int64_t)s.st_ino, (int64_t)s.st_size,
                               (int64_t)s.st_mtim.tv_sec, (int64_t)s.st_mtim.tv_nsec};
    hash_bytes(h, numbers, sizeof numbers);
}

void file_stamp_add_folder(struct hash *h, const char *folder) {
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, NULL, alphasort);
    file_stamp_add(h, folder);
    for (int i = 0; i < n; i++) {
        char path[FILE_PATH_MAX];
        (void)snprintf(path, sizeof path, "%.3800s/%.255s", folder, entries[i]->d_name);
        file_stamp_add(h, path);
        free(entries[i]);
    }
    free(entries);
}
