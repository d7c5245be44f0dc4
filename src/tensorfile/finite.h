/*
 * finite.h - does a file hold numbers alone? A NaN or an infinity among weights would turn every
 * prediction into one, hours later.
 */
#ifndef TENSORFILE_FINITE_H
#define TENSORFILE_FINITE_H

#include "base/err.h"

/* ERR_DATA, naming file, tensor and place, for the first NaN or infinity of its F32, F16 and BF16
 * tensors, in the order of the data; or where the file cannot be opened. */
enum err_code finite_check(const char *path, struct err *err);

#endif
