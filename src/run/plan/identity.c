#include "run/plan/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tensorfile/finite.h"
#include "tensorfile/tensorfile.h"

struct known_file {
    char *path;
    char hash[HASH_HEX];
    size_t trained;     /* recorded: note trained_points of the file; 0: it has none */
    bool differs;       /* recorded, and gone or other by now */
    char now[HASH_HEX]; /* of a recorded file; "": it cannot be read */
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

static const struct known_file *find_file(const struct identity_files *f, const char *path) {
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->items[i].path, path) == 0) return &f->items[i];
    return NULL;
}

const char *identity_files_find(const struct identity_files *f, const char *path) {
    const struct known_file *known = find_file(f, path);
    return known ? known->hash : NULL;
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

static enum err_code record_one(struct identity_files *f, const char *line, size_t size,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct err ignored = {0};
    char *path = NULL;
    TRY(file_reserve(f, err));
    struct known_file *item = &f->items[f->n];
    *item = (struct known_file){0};
    if (size <= HASH_HEX || line[HASH_HEX - 1] != ' ') return ERR_OK;
    item->trained = (size_t)strtoull(line + HASH_HEX, &path, 10);
    if (*path != ' ' || path + 1 >= line + size) return ERR_OK;
    item->path = strndup(path + 1, (size_t)(line + size - path - 1));
    CHECK(item->path, ERR_MEMORY, "no memory for the path of an external file");
    memcpy(item->hash, line, HASH_HEX - 1);
    if (hash_path(item->now, item->path, &ignored) != ERR_OK) item->now[0] = '\0';
    item->differs = strcmp(item->now, item->hash) != 0;
    f->n++;
cleanup:
    return rc;
}

enum err_code identity_files_record(struct identity_files *f, const char *inputs, struct err *err) {
    enum err_code rc = ERR_OK;
    while (*inputs) {
        const size_t size = strcspn(inputs, "\n");
        TRY(record_one(f, inputs, size, err));
        inputs += size + (inputs[size] == '\n');
    }
cleanup:
    return rc;
}

void identity_files_write(struct text *out, const struct identity_files *f) {
    for (size_t i = 0; i < f->n; i++) {
        struct tensorfile *file = NULL;
        struct err ignored = {0};
        const char *trained = NULL;
        if (tensorfile_open(&file, f->items[i].path, &ignored) == ERR_OK)
            trained = tensorfile_note(file, "trained_points");
        text_add(out, "%s %llu %s\n", f->items[i].hash,
                 trained ? strtoull(trained, NULL, 10) : 0ULL, f->items[i].path);
        tensorfile_close(file);
    }
}

bool identity_files_trained(size_t *trained, const struct identity_files *f, const char *path) {
    const struct known_file *known = find_file(f, path);
    if (!known || !known->differs) return false;
    *trained = known->trained;
    return true;
}

const char *identity_files_now(const struct identity_files *f, size_t i) {
    return f->items[i].differs && f->items[i].now[0] ? f->items[i].now : NULL;
}

bool identity_files_changed(const struct identity_files *f) {
    for (size_t i = 0; i < f->n; i++)
        if (identity_files_now(f, i)) return true;
    return false;
}

bool identity_files_differ(const struct identity_files *f, const struct config_point *point) {
    for (size_t k = 0; k < config_point_size(point); k++) {
        const struct config_key *key = config_point_key(point, k);
        if (!(key->flags & CONFIG_PATH) || !config_has(point, key->name)) continue;
        const struct known_file *known = find_file(f, config_text(point, key->name));
        if (known && known->differs) return true;
    }
    return false;
}

/* The hash of a file or folder, read once. base: what a relative path was relative to. */
static enum err_code file_content(const char **hash, struct identity_files *f, const char *path,
                                  const char *base, struct err *err) {
    enum err_code rc = ERR_OK;
    *hash = identity_files_find(f, path);
    if (*hash) return ERR_OK;
    TRY(file_reserve(f, err));
    struct known_file *item = &f->items[f->n];
    struct err why = {0};
    *item = (struct known_file){0};
    CHECK(hash_path(item->hash, path, &why) == ERR_OK, ERR_DATA,
          "%s; check the path (it is relative to %s)", why.msg, base);
    item->path = text_copy(path);
    CHECK(item->path, ERR_MEMORY, "no memory for the path %s", path);
    f->n++;
    *hash = item->hash;
cleanup:
    return rc;
}

/* Weights must not hold NaN or infinity; the files of a source are no weights. Of the folder of a
 * language model the stage checks it. */
static enum err_code check_weights(const char *key, const char *path, struct err *err) {
    if (strncmp(key, "source.", 7) == 0 || file_is_folder(path)) return ERR_OK;
    return finite_check(path, err);
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
        const bool is_new = !identity_files_find(files, path);
        if (file_content(&content, files, path, base, &why) != ERR_OK ||
            (is_new && check_weights(key->name, path, &why) != ERR_OK))
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
