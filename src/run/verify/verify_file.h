/*
 * verify_file.h - does this program compute the reference numbers in an HDF5 file?
 *
 * The kind of file is told by its content: `core` and `weights` make a regression model, `methods`
 * and `weights` task vectors on a model, groups with xs and ys make problems.  Everything the
 * program can compute is compared, through the functions that fit, evaluate and pretrain call; the
 * rest is a skipped line.
 */
#ifndef RUN_VERIFY_VERIFY_FILE_H
#define RUN_VERIFY_VERIFY_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "model/params.h"
#include "run/verify/verify_report.h"
#include "store/fixture.h"

/* Compares `path` and appends the report to *out. require: see verify_require().
 * ERR_DIFFERS, ERR_DATA when nothing was compared or the file cannot be read, ERR_USAGE. */
enum err_code verify_file(struct text *out, const char *path, const char *require, bool json,
                          struct err *err);

/* The kinds; each adds its lines. */
enum err_code verify_regression(struct verify_report *r, const struct fixture *f, struct err *err);
enum err_code verify_methods(struct verify_report *r, const struct fixture *f, struct err *err);
enum err_code verify_problems(struct verify_report *r, const struct fixture *f, struct err *err);

/* The model of root attributes and the group `weights`. */
enum err_code verify_read_model(struct params *out, const struct fixture *f, struct err *err);

#endif
