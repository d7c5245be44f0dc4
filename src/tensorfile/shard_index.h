/*
 * shard_index.h - the index of weights that are spread over several files
 * (model.safetensors.index.json): {"weight_map": {TENSOR: FILE}, "metadata": ...}.
 */
#ifndef TENSORFILE_SHARD_INDEX_H
#define TENSORFILE_SHARD_INDEX_H

#include <stddef.h>

#include "base/err.h"

struct json_t;

struct shard_entry {
    const char *tensor;
    size_t file; /* index into files */
};

struct shard_index {
    struct shard_entry *entries; /* in the order of the text; owned, as `files` */
    size_t n_entries;
    const char **files; /* sorted, each once; plain names of safetensors files */
    size_t n_files;
    struct json_t *root; /* owns all texts */
};

/* ERR_DATA, with `place` in front, for text that is no index, that names no tensor, or that names a
 * file outside the folder or of another format; ERR_MEMORY. */
enum err_code shard_index_parse(struct shard_index *out, const char *text, size_t size,
                                const char *place, struct err *err);
void shard_index_release(struct shard_index *x); /* idempotent */

#endif
