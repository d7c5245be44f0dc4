#include "tensorfile/tensor_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "tensorfile/shard_index.h"

struct tensor_set {
    char *path;
    struct tensorfile **files; /* [n_files] */
    size_t n_files;
    const struct tensor_info **tensors; /* [n_tensors], sorted by name */
    size_t n_tensors;
};

static int compare_names(const void *a, const void *b) {
    const struct tensor_info *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static enum err_code collect_tensors(struct tensor_set *s, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n = 0;
    for (size_t i = 0; i < s->n_files; i++) n += tensorfile_count(s->files[i]);
    s->tensors = calloc(n + 1, sizeof *s->tensors);
    CHECK(s->tensors, ERR_MEMORY, "%s: no memory for %zu tensors", s->path, n);
    for (size_t i = 0; i < s->n_files; i++)
        for (size_t k = 0; k < tensorfile_count(s->files[i]); k++)
            s->tensors[s->n_tensors++] = tensorfile_at(s->files[i], k);
    qsort(s->tensors, n, sizeof *s->tensors, compare_names);
    for (size_t i = 1; i < n; i++)
        CHECK(strcmp(s->tensors[i - 1]->name, s->tensors[i]->name) != 0, ERR_DATA,
              "%s: two shards hold the tensor \"%s\": remove the file that does not belong here",
              s->path, s->tensors[i]->name);
cleanup:
    return rc;
}

static enum err_code open_shard(struct tensor_set *s, const struct shard_index *x, size_t file,
                                const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    size_t placed = 0;
    for (size_t i = 0; i < x->n_entries; i++) placed += x->entries[i].file == file;
    (void)snprintf(path, sizeof path, "%.3000s/%.600s", folder, x->files[file]);
    CHECK(file_exists(path), ERR_DATA,
          "%s: no such file, but " TENSOR_SET_INDEX
          " places %zu tensors in it: complete the folder",
          path, placed);
    TRY(tensorfile_open(&s->files[file], path, err));
cleanup:
    return rc;
}

static enum err_code check_places(const struct tensor_set *s, const struct shard_index *x,
                                  struct err *err) {
    for (size_t i = 0; i < x->n_entries; i++) {
        const struct tensorfile *f = s->files[x->entries[i].file];
        if (!tensorfile_find(f, x->entries[i].tensor))
            return ERR(err, ERR_DATA,
                       "%s: no tensor \"%s\", which " TENSOR_SET_INDEX
                       " places there: files of two models are mixed",
                       tensorfile_path(f), x->entries[i].tensor);
    }
    return ERR_OK;
}

static enum err_code open_shards(struct tensor_set *s, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    struct shard_index x = {0};
    TRY(file_read(&text, s->path, TENSORFILE_HEADER_MAX, err));
    TRY(shard_index_parse(&x, text_str(&text), text.size, s->path, err));
    s->files = calloc(x.n_files, sizeof *s->files);
    CHECK(s->files, ERR_MEMORY, "%s: no memory for %zu files", s->path, x.n_files);
    s->n_files = x.n_files;
    for (size_t i = 0; i < x.n_files; i++) TRY(open_shard(s, &x, i, folder, err));
    TRY(check_places(s, &x, err));
cleanup:
    shard_index_release(&x);
    text_release(&text);
    return rc;
}

static enum err_code open_single(struct tensor_set *s, struct err *err) {
    s->files = calloc(1, sizeof *s->files);
    if (!s->files) return ERR(err, ERR_MEMORY, "%s: no memory to open it", s->path);
    s->n_files = 1;
    return tensorfile_open(&s->files[0], s->path, err);
}

enum err_code tensor_set_open(struct tensor_set **out, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    struct tensor_set *s = calloc(1, sizeof *s);
    CHECK(s, ERR_MEMORY, "%s: no memory to open it", folder);
    (void)snprintf(path, sizeof path, "%.3900s/" TENSOR_SET_SINGLE, folder);
    const bool single = file_exists(path);
    if (!single) (void)snprintf(path, sizeof path, "%.3900s/" TENSOR_SET_INDEX, folder);
    CHECK(single || file_exists(path), ERR_DATA,
          "%s: holds neither " TENSOR_SET_SINGLE " nor " TENSOR_SET_INDEX, folder);
    CHECK(s->path = text_copy(path), ERR_MEMORY, "%s: no memory to open it", folder);
    TRY(single ? open_single(s, err) : open_shards(s, folder, err));
    TRY(collect_tensors(s, err));
    *out = s;
    s = NULL;
cleanup:
    tensor_set_close(s);
    return rc;
}

void tensor_set_close(struct tensor_set *s) {
    if (!s) return;
    for (size_t i = 0; i < s->n_files; i++) tensorfile_close(s->files[i]);
    free(s->files);
    free(s->tensors);
    free(s->path);
    free(s);
}

const char *tensor_set_path(const struct tensor_set *s) { return s->path; }

size_t tensor_set_files(const struct tensor_set *s) { return s->n_files; }

const struct tensorfile *tensor_set_file(const struct tensor_set *s, size_t i) {
    return s->files[i];
}

size_t tensor_set_count(const struct tensor_set *s) { return s->n_tensors; }

const struct tensor_info *tensor_set_at(const struct tensor_set *s, size_t i) {
    return s->tensors[i];
}

const struct tensor_info *tensor_set_find(const struct tensor_set *s, const char *name) {
    const struct tensor_info sought = {.name = name}, *key = &sought;
    const struct tensor_info **found =
        bsearch(&key, s->tensors, s->n_tensors, sizeof *s->tensors, compare_names);
    return found ? *found : NULL;
}

static void hash_tensor(struct hash *h, const struct tensor_info *t) {
    char shape[TENSOR_RANK_MAX * 24] = "";
    for (size_t i = 0, at = 0; i < t->rank; i++)
        at +=
            (size_t)snprintf(shape + at, sizeof shape - at, "%s%zu", i > 0 ? "," : "", t->shape[i]);
    hash_text(h, t->name);
    hash_text(h, shape);
    hash_bytes(h, t->data, t->elements * tensor_type_size(t->type));
}

void tensor_set_hash(char hex[HASH_HEX], const struct tensor_set *s) {
    struct hash h;
    hash_begin(&h);
    for (size_t i = 0; i < s->n_tensors; i++) hash_tensor(&h, s->tensors[i]);
    hash_end(hex, &h);
}
