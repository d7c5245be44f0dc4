/*
 * file_stamp.h - whether files are still what they were when this process read them, without
 * reading them again.
 */
#ifndef BASE_FILE_STAMP_H
#define BASE_FILE_STAMP_H

#include "base/hash.h"

/* Adds the path and, if something is there, its device, inode, size and time of last writing. */
void file_stamp_add(struct hash *h, const char *path);

/* The same of a folder and of all that it holds, but not of what its sub-folders hold. */
void file_stamp_add_folder(struct hash *h, const char *folder);

#endif
