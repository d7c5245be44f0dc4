#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <nettle/version.h>

void hash_begin(struct hash *h) { sha256_init(&h->state); }

void hash_bytes(struct hash *h, const void *data, size_t size) {
    sha256_update(&h->state, size, data);
}

void hash_text(struct hash *h, const char *text) { hash_bytes(h, text, strlen(text) + 1); }

void hash_end(char hex[HASH_HEX], struct hash *h) {
    uint8_t sum[SHA256_DIGEST_SIZE];
    sha256_digest(&h->state, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) {
        hex[2 * i] = "0123456789abcdef"[sum[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
    }
    hex[2 * sizeof sum] = '\0';
}

uint64_t hash_name(const char *name) {
    struct sha256_ctx state;
    uint8_t sum[8];
    uint64_t value = 0;
    sha256_init(&state);
    sha256_update(&state, strlen(name), (const uint8_t *)name);
    sha256_digest(&state, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) value = value << 8 | sum[i];
    return value;
}

enum err_code hash_file(char hex[HASH_HEX], const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    unsigned char buffer[1 << 16];
    struct hash h;
    size_t n;
    struct stat info;
    FILE *f = NULL;
    CHECK(stat(path, &info) == 0, ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    CHECK(S_ISREG(info.st_mode), ERR_DATA, "%s: not a plain file", path); /* a pipe never ends */
    f = fopen(path, "rb");
    CHECK(f, ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    hash_begin(&h);
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0) hash_bytes(&h, buffer, n);
    CHECK(!ferror(f), ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    hash_end(hex, &h);
cleanup:
    if (f) fclose(f);
    return rc;
}

/* ---- folders */

bool hash_covers(const char *name) {
    static const char *const ENDS[] = {".json", ".safetensors", ".txt"};
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
        if (text_ends_with(name, ENDS[i])) return true;
    return false;
}

static int is_content(const struct dirent *entry) { return hash_covers(entry->d_name); }

static int by_sum(const void *a, const void *b) { return strcmp(a, b); }

static enum err_code hash_entries(char hex[HASH_HEX], const char *folder, struct dirent **entries,
                                  size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct hash h;
    char(*sums)[HASH_HEX] = calloc(n, sizeof *sums), path[4096];
    CHECK(sums, ERR_MEMORY, "no memory for the sums of %zu files", n);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "%.3800s/%.255s", folder, entries[i]->d_name);
        TRY(hash_file(sums[i], path, err));
    }
    qsort(sums, n, sizeof *sums, by_sum);
    hash_begin(&h);
    for (size_t i = 0; i < n; i++) hash_text(&h, sums[i]);
    hash_end(hex, &h);
cleanup:
    free(sums);
    return rc;
}

static enum err_code hash_folder(char hex[HASH_HEX], const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, is_content, alphasort);
    CHECK(n >= 0, ERR_IO, "%s: cannot read the folder: %s", folder, strerror(errno));
    CHECK(n > 0, ERR_IO, "%s: a folder without files *.json, *.safetensors or *.txt", folder);
    TRY(hash_entries(hex, folder, entries, (size_t)n, err));
cleanup:
    for (int i = 0; i < n; i++) free(entries[i]);
    free(entries);
    return rc;
}

enum err_code hash_path(char hex[HASH_HEX], const char *path, struct err *err) {
    struct stat info;
    const bool is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    return is_folder ? hash_folder(hex, path, err) : hash_file(hex, path, err);
}

void hash_library(struct text *out) {
    text_add(out, "nettle %d.%d", NETTLE_VERSION_MAJOR, NETTLE_VERSION_MINOR);
}
