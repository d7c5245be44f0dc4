/*
 * file.h - whole files in, whole files out, never half of one.
 *
 * A durable replace writes PATH.tmp.HOST.PID beside the target, syncs it, renames it over the
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

/* Durable replace by someone who writes the file by name (HDF5, a stream): write to the name that
 * file_temporary() gives, then file_publish() it; file_discard() on failure. */
enum err_code file_temporary(char out[FILE_PATH_MAX], const char *path, struct err *err);
enum err_code file_publish(const char *temporary, const char *path, struct err *err);
void file_discard(const char *temporary);

enum err_code file_make_folder(const char *path,
                               struct err *err); /* with parents; existing is fine */
bool file_exists(const char *path);
bool file_is_folder(const char *path);

/* `path` as seen from the folder of `from`; absolute paths stay. ERR_CONFIG when too long. */
enum err_code file_beside(char out[FILE_PATH_MAX], const char *from, const char *path,
                          struct err *err);

#endif
