#include "tensorfile/shard_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tensorfile/tensor_name.h"
#include "json/json.h"

/* A file of the same folder: a path would let an index read files from anywhere. */
static enum err_code check_file_name(const char *file, const char *place, struct err *err) {
    char shown[NAME_SHOWN];
    const enum err_code rc = tensor_name_check(file, place, err);
    if (rc != ERR_OK) return rc;
    tensor_name_show(shown, file);
    if (strchr(file, '/'))
        return ERR(err, ERR_DATA, "%s: %s is a path: shards lie beside their index", place, shown);
    if (!text_ends_with(file, ".safetensors"))
        return ERR(err, ERR_DATA,
                   "%s: %s is not a .safetensors file: convert the folder by python3 "
                   "analysis/to_safetensors.py FOLDER",
                   place, shown);
    return ERR_OK;
}

static int compare_texts(const void *a, const void *b) {
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* files [n_entries], one of each entry: sorted, each once. */
static size_t keep_each_once(const char **files, size_t n) {
    size_t kept = 0;
    qsort(files, n, sizeof *files, compare_texts);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(files[kept - 1], files[i]) != 0) files[kept++] = files[i];
    return kept;
}

static size_t file_number(const struct shard_index *x, const char *file) {
    const char **found = bsearch(&file, x->files, x->n_files, sizeof *x->files, compare_texts);
    return (size_t)(found - x->files); /* it is one of them */
}

static enum err_code read_map(struct shard_index *x, struct json map, const char *place,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    char shown[NAME_SHOWN], where[1024];
    const size_t n = json_count(map);
    x->entries = calloc(n, sizeof *x->entries);
    x->files = calloc(n, sizeof *x->files);
    CHECK(x->entries && x->files, ERR_MEMORY, "%s: no memory for %zu tensors", place, n);
    for (struct json_walk w = {.object = map}; json_next(&w); x->n_entries++) {
        tensor_name_show(shown, w.key);
        (void)snprintf(where, sizeof where, "%.800s: weight_map: %s", place, shown);
        TRY(tensor_name_check(w.key, where, err));
        x->entries[x->n_entries].tensor = w.key;
        TRY(json_read_text(&x->files[x->n_entries], w.value, where, err));
        TRY(check_file_name(x->files[x->n_entries], where, err));
    }
    x->n_files = keep_each_once(x->files, n);
    size_t i = 0;
    for (struct json_walk w = {.object = map}; json_next(&w); i++) {
        const char *file = NULL;
        TRY(json_read_text(&file, w.value, place, err));
        x->entries[i].file = file_number(x, file);
    }
cleanup:
    return rc;
}

enum err_code shard_index_parse(struct shard_index *out, const char *text, size_t size,
                                const char *place, struct err *err) {
    enum err_code rc = ERR_OK;
    struct shard_index made = {0};
    struct json root = {0};
    TRY(json_parse(&root, text, size, place, err));
    made.root = root.node;
    TRY(json_expect(root, JSON_KIND_OBJECT, place, err));
    const struct json map = json_member(root, "weight_map");
    CHECK(json_kind(map) == JSON_KIND_OBJECT, ERR_DATA,
          "%s: weight_map: expected an object, received %s", place, json_kind_text(json_kind(map)));
    CHECK(json_count(map) > 0, ERR_DATA, "%s: weight_map names no tensor", place);
    TRY(read_map(&made, map, place, err));
    *out = made;
    made = (struct shard_index){0};
cleanup:
    shard_index_release(&made);
    return rc;
}

void shard_index_release(struct shard_index *x) {
    struct json root = {x->root};
    free(x->entries);
    free(x->files);
    json_release(&root);
    *x = (struct shard_index){0};
}
