/*
 * file.h - reading whole files, and replacing them durably.
 *
 * A durable replace writes PATH.tmp.HOST.PID next to the target, syncs it, renames it over the
 * target and syncs the folder: readers see the old file or the new one.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

enum { FILE_PATH_MAX = 4096 };

/* Appends the whole file to *out; more than `limit` bytes is ERR_DATA. */
enum err_code file_read(struct text *out, const char *path, size_t limit, struct err *err);

/* Durable replace from memory. ERR_IO names the step that failed. */
enum err_code file_replace(const char *path, const void *data, size_t size, struct err *err);

/* Durable replace where a library writes the file by name (HDF5): write to the name that
 * file_temporary() gives, then file_publish() it; file_discard() on failure. */
enum err_code file_temporary(char out[FILE_PATH_MAX], const char *path, struct err *err);
enum err_code file_publish(const char *temporary, const char *path, struct err *err);
void file_discard(const char *temporary);

enum err_code file_make_folder(const char *path,
                               struct err *err); /* with parents; existing is fine */
bool file_exists(const char *path);
bool file_is_folder(const char *path);

/* A relative `path` is taken from the folder that holds `from`. ERR_CONFIG when too long. */
enum err_code file_resolve(char out[FILE_PATH_MAX], const char *from, const char *path,
                           struct err *err);

#endif
