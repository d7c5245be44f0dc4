/*
 * tensor_set.h - the weights of a folder: the tensors of model.safetensors, or those of the shards
 * that model.safetensors.index.json names. All files are mapped read-only; opening reads headers
 * alone.
 */
#ifndef TENSORFILE_TENSOR_SET_H
#define TENSORFILE_TENSOR_SET_H

#include "base/hash.h"
#include "tensorfile/tensorfile.h"

#define TENSOR_SET_SINGLE "model.safetensors"
#define TENSOR_SET_INDEX "model.safetensors.index.json"

struct tensor_set;

/* ERR_DATA if the folder holds neither, a shard is missing (its name and how many tensors it
 * holds), lacks a tensor that the index places there, or two shards hold one tensor. Where both are
 * there, model.safetensors is read, as transformers does. */
enum err_code tensor_set_open(struct tensor_set **out, const char *folder, struct err *err);
void tensor_set_close(struct tensor_set *s); /* NULL-safe */

const char *tensor_set_path(const struct tensor_set *s); /* of the single file, or of the index */
size_t tensor_set_files(const struct tensor_set *s);
const struct tensorfile *tensor_set_file(const struct tensor_set *s, size_t i);

/* All tensors of all files in the order of their names (bytes); the tensor of a name, or NULL. */
size_t tensor_set_count(const struct tensor_set *s);
const struct tensor_info *tensor_set_at(const struct tensor_set *s, size_t i);
const struct tensor_info *tensor_set_find(const struct tensor_set *s, const char *name);

/* SHA-256 of the tensors, however they are spread over files: for each in the order of names its
 * name, a zero byte, its shape as decimal numbers with commas between, a zero byte, its bytes. */
void tensor_set_hash(char hex[HASH_HEX], const struct tensor_set *s);

#endif
