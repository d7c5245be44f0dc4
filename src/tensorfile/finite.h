/*
 * finite.h - checks that a file holds no NaN and no infinity. One among the weights would make
 * every prediction NaN, which a run would notice only hours later.
 */
#ifndef TENSORFILE_FINITE_H
#define TENSORFILE_FINITE_H

#include "base/err.h"

/* ERR_DATA if the file cannot be opened, or for the first NaN or infinity in its F32, F16 and BF16
 * tensors, in the order of the data; the message names file, tensor and element. */
enum err_code finite_check(const char *path, struct err *err);

#endif
