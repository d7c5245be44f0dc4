/*
 * edits_reader.h - the edits of a file that `taskvec artifact DIR JOB --edits FILE` wrote, for a
 * model of given sizes. docs/results.md, section "Edits", describes the format.
 */
#ifndef RUN_EXPORT_EDITS_READER_H
#define RUN_EXPORT_EDITS_READER_H

#include "base/err.h"
#include "model/dims.h"
#include "model/edit.h"

struct read_edits {
    struct edits edits; /* of one vector for all rows: strides are 0 */
    struct edit *items; /* owned */
    float *vector;      /* [values] owned; NULL: there is none */
    size_t values;
};

/* ERR_DATA, naming the file, for one that is not of this format; for a vector that each prompt has
 * for itself, edits of the prompt, and redrawn positions, none of which a file alone can apply; and
 * for a layer or width that the model does not have. */
enum err_code edits_reader_open(struct read_edits *out, const char *path,
                                const struct model_dims *dims, struct err *err);
void edits_reader_close(struct read_edits *r); /* idempotent */

#endif
