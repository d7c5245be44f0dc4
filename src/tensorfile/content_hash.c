#include "tensorfile/content_hash.h"

#include <string.h>
#include <sys/stat.h>

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

void content_hash(char hex[HASH_HEX], const struct tensorfile *f) {
    const struct mapping *map = tensorfile_mapping(f);
    const struct remembered *found = find(&map->stamp);
    if (!found) {
        struct remembered *place = &known[next_place++ % REMEMBERED];
        struct hash h;
        hash_begin(&h);
        hash_bytes(&h, map->data, map->size);
        hash_end(place->hex, &h);
        place->stamp = map->stamp;
        found = place;
    }
    memcpy(hex, found->hex, HASH_HEX);
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
