#include "tensorfile/content_hash.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tensorfile/mapping.h"

enum { REMEMBERED = 16 }; /* a job reads one or two files */

struct remembered {
    struct file_stamp stamp;
    char hex[HASH_HEX];
};

/* Of this process: jobs of one child follow each other. The oldest entry is replaced. */
static struct remembered known[REMEMBERED];
static size_t next_place;

static bool is_same_file(const struct file_stamp *a, const struct file_stamp *b) {
    return a->device == b->device && a->inode == b->inode;
}

static bool is_same_content(const struct file_stamp *a, const struct file_stamp *b) {
    return is_same_file(a, b) && a->size == b->size && a->written == b->written;
}

static const struct remembered *find(const struct file_stamp *stamp) {
    for (size_t i = 0; i < REMEMBERED; i++)
        if (known[i].hex[0] && is_same_content(&known[i].stamp, stamp)) return &known[i];
    return NULL;
}

static void remember(const struct file_stamp *stamp, const char *hex) {
    struct remembered *place = &known[next_place++ % REMEMBERED];
    place->stamp = *stamp;
    memcpy(place->hex, hex, HASH_HEX);
}

void content_hash(char hex[HASH_HEX], const struct tensorfile *f) {
    const struct mapping *map = tensorfile_mapping(f);
    const struct remembered *found = find(&map->stamp);
    struct hash h;
    if (found) {
        memcpy(hex, found->hex, HASH_HEX);
        return;
    }
    hash_begin(&h);
    hash_bytes(&h, map->data, map->size);
    hash_end(hex, &h);
    remember(&map->stamp, hex);
}

/* ---- folders */

static void add_file(struct file_stamp *sum, const char *folder, const char *name) {
    char path[FILE_PATH_MAX];
    struct stat info;
    (void)snprintf(path, sizeof path, "%.3800s/%.255s", folder, name);
    if (stat(path, &info) != 0) return;
    const struct file_stamp own = mapping_stamp(&info);
    sum->size += own.size;
    sum->written ^= (int64_t)(own.inode * 0x9e3779b97f4a7c15U) ^ own.written;
}

/* One stamp for all files in a folder. */
static bool stamp_folder(struct file_stamp *out, const char *folder) {
    struct stat info;
    DIR *all = opendir(folder);
    if (!all) return false;
    if (stat(folder, &info) == 0) *out = mapping_stamp(&info);
    for (struct dirent *e; (e = readdir(all));)
        if (e->d_name[0] != '.') add_file(out, folder, e->d_name);
    (void)closedir(all);
    return true;
}

enum err_code content_hash_folder(char hex[HASH_HEX], const char *folder, struct err *err) {
    struct file_stamp stamp = {0};
    const bool stamped = stamp_folder(&stamp, folder);
    const struct remembered *found = stamped ? find(&stamp) : NULL;
    if (found) {
        memcpy(hex, found->hex, HASH_HEX);
        return ERR_OK;
    }
    const enum err_code rc = hash_path(hex, folder, err);
    if (rc == ERR_OK && stamped) remember(&stamp, hex);
    return rc;
}

bool content_hash_rewritten(char hex[HASH_HEX], const char *path) {
    struct file_stamp now;
    struct stat info;
    struct err ignored = {0};
    bool was_read = false;
    if (stat(path, &info) != 0) return false;
    now = mapping_stamp(&info);
    if (find(&now)) return false;
    for (size_t i = 0; i < REMEMBERED; i++)
        if (known[i].hex[0] && is_same_file(&known[i].stamp, &now)) was_read = true;
    return was_read && hash_file(hex, path, &ignored) == ERR_OK;
}
