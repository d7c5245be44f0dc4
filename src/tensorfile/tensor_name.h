/*
 * tensor_name.h - which names tensors and metadata keys may have, and how messages show a bad name.
 */
#ifndef TENSORFILE_TENSOR_NAME_H
#define TENSORFILE_TENSOR_NAME_H

#include "base/err.h"

enum { NAME_SHOWN = 128 };

/* ERR_DATA if the name is empty, longer than TENSOR_NAME_MAX or contains control characters;
 * `place` opens the message. */
enum err_code tensor_name_check(const char *name, const char *place, struct err *err);

/* The name in quotes, on one line: control characters become '?' and a long name is cut. */
void tensor_name_show(char out[NAME_SHOWN], const char *name);

#endif
