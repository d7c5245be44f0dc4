/*
 * hash.h - SHA-256 (nettle) of bytes, files and lines: identities, digests, checksums.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#include "base/err.h"
#include "base/text.h"

enum { HASH_HEX = 65 }; /* 64 hexadecimal digits and the NUL */

struct hash {
    struct sha256_ctx state;
};

void hash_begin(struct hash *h);
void hash_bytes(struct hash *h, const void *data, size_t size);
void hash_text(struct hash *h, const char *text); /* the NUL included: "ab","c" is not "a","bc" */
void hash_end(char hex[HASH_HEX], struct hash *h);

/* First 64 bits of the SHA-256 of a name. */
uint64_t hash_name(const char *name);

/* SHA-256 of a whole file; ERR_IO with the reason. */
enum err_code hash_file(char hex[HASH_HEX], const char *path, struct err *err);

/* The same of a folder: of the SHA-256 of its files *.json, *.safetensors and *.txt in the order of
 * these sums, so that names do not count; these are the files of models, tokenizers and text tasks.
 * Of a plain file that of hash_file(). ERR_IO also for a folder without any. */
enum err_code hash_path(char hex[HASH_HEX], const char *path, struct err *err);

/* A file of this name in a folder is part of that hash. */
bool hash_covers(const char *name);

void hash_library(struct text *out); /* "nettle 3.8" */

#endif
