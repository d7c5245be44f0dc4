/*
 * results.h - results.h5, written whole and published by rename: the only writer of HDF5.
 *
 * Tables are 1-D compound datasets of 64-bit integers, doubles and fixed-length strings, with
 * attributes COLUMN.unit and COLUMN.meaning; texts are scalar strings of fixed length. h5py,
 * pandas.read_hdf, PyTables and h5dump read both. No dimension scales and no variable-length
 * strings: PyTables 3.7 crashes on the former and cannot read the latter.
 */
#ifndef STORE_RESULTS_H
#define STORE_RESULTS_H

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"
#include "job/job.h"

struct results; /* a file being written */

enum err_code results_create(struct results **out, const char *path, struct err *err);
void results_discard(struct results *r); /* NULL-safe: drops what was not published */

/* Path such as "/tables/fit"; missing groups are created. cells [rows, columns], of the columns'
 * types (see row_check). */
enum err_code results_table(struct results *r, const char *path, const struct job_columns *columns,
                            const struct job_value *cells, size_t rows, struct err *err);
enum err_code results_text(struct results *r, const char *path, const char *text, struct err *err);

/* A further attribute of a table that was written: "mse.measure" of "/tables/evaluate". */
enum err_code results_attribute(struct results *r, const char *path, const char *name,
                                const char *text, struct err *err);

/* Closes, reopens as a check, renames over the target and frees *r. On failure the old file stays
 * and *r is discarded too. */
enum err_code results_publish(struct results *r, struct err *err);

void results_library(struct text *out); /* "HDF5 1.10.8, serial" */

#endif
