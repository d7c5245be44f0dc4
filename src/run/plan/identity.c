#include "run/plan/identity.h"

#include <stdlib.h>
#include <string.h>

#include "tensorfile/finite.h"

struct known_file {
    char *path;
    char hash[HASH_HEX];
};

struct identity_files {
    struct known_file *items;
    size_t n, capacity;
};

enum err_code identity_files_create(struct identity_files **out, struct err *err) {
    struct identity_files *f = calloc(1, sizeof *f);
    if (!f) return ERR(err, ERR_MEMORY, "no memory for the list of external files");
    *out = f;
    return ERR_OK;
}

void identity_files_destroy(struct identity_files *f) {
    if (!f) return;
    for (size_t i = 0; i < f->n; i++) free(f->items[i].path);
    free(f->items);
    free(f);
}

size_t identity_files_count(const struct identity_files *f) { return f->n; }
const char *identity_files_path(const struct identity_files *f, size_t i) {
    return f->items[i].path;
}
const char *identity_files_hash(const struct identity_files *f, size_t i) {
    return f->items[i].hash;
}

const char *identity_files_find(const struct identity_files *f, const char *path) {
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->items[i].path, path) == 0) return f->items[i].hash;
    return NULL;
}

static enum err_code file_reserve(struct identity_files *f, struct err *err) {
    if (f->n < f->capacity) return ERR_OK;
    const size_t capacity = f->capacity ? 2 * f->capacity : 4;
    struct known_file *items = realloc(f->items, capacity * sizeof *items);
    if (!items) return ERR(err, ERR_MEMORY, "no memory for %zu external files", capacity);
    f->items = items;
    f->capacity = capacity;
    return ERR_OK;
}

/* The hash of a file, read once; all such files hold weights, so NaN and infinity are refused.
 * base: what a relative path was relative to. */
static enum err_code file_content(const char **hash, struct identity_files *f, const char *path,
                                  const char *base, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->items[i].path, path) == 0) {
            *hash = f->items[i].hash;
            return ERR_OK;
        }
    TRY(file_reserve(f, err));
    struct known_file *item = &f->items[f->n];
    struct err why = {0};
    CHECK(hash_file(item->hash, path, &why) == ERR_OK, ERR_DATA,
          "%s; check the path (it is relative to %s)", why.msg, base);
    TRY(finite_check(path, err));
    item->path = text_copy(path);
    CHECK(item->path, ERR_MEMORY, "no memory for the path %s", path);
    f->n++;
    *hash = item->hash;
cleanup:
    return rc;
}

static enum err_code add_files(struct hash *h, const struct config_point *point,
                               struct identity_files *files, struct err *err) {
    for (size_t i = 0; i < config_point_size(point); i++) {
        const struct config_key *key = config_point_key(point, i);
        if (!(key->flags & CONFIG_PATH) || !config_has(point, key->name)) continue;
        const char *path = config_text(point, key->name), *content = NULL;
        if (path[0] == '\0') continue;
        struct err why = {0};
        const char *base = config_path_base(point, key->name);
        if (file_content(&content, files, path, base, &why) != ERR_OK)
            return config_error(err, point, key->name, "%s", why.msg);
        hash_text(h, key->name);
        hash_text(h, content);
    }
    return ERR_OK;
}

enum err_code identity_make(char out[HASH_HEX], const struct identity_of *of,
                            struct identity_files *files, struct text *scratch, struct err *err) {
    enum err_code rc = ERR_OK;
    struct hash h;
    text_clear(scratch);
    text_add(scratch, "%s %d %llu %s %zu\n", of->stage->name, of->stage->version,
             (unsigned long long)of->seed, of->control ? of->control : "-", of->n_inputs);
    config_point_identity(scratch, of->point);
    TRY(text_check(scratch, err));
    hash_begin(&h);
    hash_bytes(&h, scratch->data, scratch->size + 1);
    for (size_t i = 0; i < of->n_inputs; i++) hash_text(&h, of->inputs[i]);
    TRY(add_files(&h, of->point, files, err));
    hash_end(out, &h);
cleanup:
    return rc;
}
