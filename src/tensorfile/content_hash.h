/*
 * content_hash.h - the SHA-256 of files that are read again and again: a file is hashed once for as
 * long as its inode, size and times stay the same.
 */
#ifndef TENSORFILE_CONTENT_HASH_H
#define TENSORFILE_CONTENT_HASH_H

#include <stdbool.h>

#include "base/hash.h"
#include "tensorfile/tensorfile.h"

/* Of the bytes that are mapped, whatever the path names by now. */
void content_hash(char hex[HASH_HEX], const struct tensorfile *f);

/* hash_path() of a folder, hashed once for as long as the inodes, sizes and times of its files stay
 * the same. */
enum err_code content_hash_folder(char hex[HASH_HEX], const char *folder, struct err *err);

/* True if the path still names a file that content_hash() was asked for, and it was written to
 * since then: *hex is what it holds now. A file that took its place by rename is another file. */
bool content_hash_rewritten(char hex[HASH_HEX], const char *path);

#endif
