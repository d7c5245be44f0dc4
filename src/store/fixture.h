/*
 * fixture.h - reading the HDF5 files of reference numbers, by dataset name.
 *
 * Arrays come back converted to the type asked for, on the heap, with their shape; scalars have
 * rank 0 and one element.  Sizes are bounded, so that a malicious file cannot exhaust memory.
 */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { FIXTURE_RANK = 8 };

struct fixture; /* an open file */

struct fixture_array { /* free with fixture_array_release */
    size_t rank, shape[FIXTURE_RANK], n;
    float *floats; /* one of the three is set */
    double *doubles;
    int64_t *integers;
};

enum err_code fixture_open(struct fixture **out, const char *path, struct err *err);
void fixture_close(struct fixture *f); /* NULL-safe */
const char *fixture_path(const struct fixture *f);

bool fixture_has(const struct fixture *f, const char *name); /* a group or dataset */

/* ERR_DATA naming file and dataset if absent or not of `rank` (rank < 0: any). */
enum err_code fixture_floats(struct fixture_array *out, const struct fixture *f, const char *name,
                             int rank, struct err *err);
enum err_code fixture_doubles(struct fixture_array *out, const struct fixture *f, const char *name,
                              int rank, struct err *err);
enum err_code fixture_integers(struct fixture_array *out, const struct fixture *f, const char *name,
                               int rank, struct err *err);
void fixture_array_release(struct fixture_array *a); /* idempotent */

/* A number among the attributes of the root group. */
enum err_code fixture_attribute(double *out, const struct fixture *f, const char *name,
                                struct err *err);

bool fixture_has_attribute(const struct fixture *f, const char *name);
/* A text among them, cut to size - 1 bytes: a hash, a title. */
enum err_code fixture_text_attribute(char *out, size_t size, const struct fixture *f,
                                     const char *name, struct err *err);

/* Calls visit(context, name) for every member of a group, in alphabetical order. */
enum err_code fixture_members(const struct fixture *f, const char *group,
                              enum err_code (*visit)(void *context, const char *name,
                                                     struct err *err),
                              void *context, struct err *err);

#endif
