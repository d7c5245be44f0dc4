/*
 * tensor_name.h - what a tensor or a note may be called, and how a bad name is shown.
 */
#ifndef TENSORFILE_TENSOR_NAME_H
#define TENSORFILE_TENSOR_NAME_H

#include "base/err.h"

enum { NAME_SHOWN = 128 };

/* ERR_DATA if empty, longer than TENSOR_NAME_MAX or with control characters. */
enum err_code tensor_name_check(const char *name, const char *place, struct err *err);

/* In quotes, control characters as '?', cut when long: never more than one line. */
void tensor_name_show(char out[NAME_SHOWN], const char *name);

#endif
