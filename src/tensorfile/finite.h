/*
 * finite.h - checks that tensors hold no NaN and no infinity. One among the weights would make
 * every prediction NaN, which a run would notice only hours later.
 */
#ifndef TENSORFILE_FINITE_H
#define TENSORFILE_FINITE_H

#include "base/err.h"
#include "tensorfile/tensorfile.h"

/* ERR_DATA for the first NaN or infinity of a tensor of type F32, F16 or BF16; the message opens
 * with `path` and names tensor and element. Other types pass. It reads the whole tensor, at the
 * speed of memory. */
enum err_code finite_check_tensor(const struct tensor_info *t, const char *path, struct err *err);

/* The same for every tensor of a file, in the order of the data; ERR_DATA also if the file cannot
 * be opened. */
enum err_code finite_check(const char *path, struct err *err);

#endif
