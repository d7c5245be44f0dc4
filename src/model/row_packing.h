/*
 * row_packing.h - how prompts of different lengths share the rows of a pass through the model, so
 * that no bit of a prompt depends on the others.
 *
 * The rows of prompts follow each other without gaps, and a pass has a multiple of ROW_PACKING_STEP
 * rows, the last of which may be unused.  A kernel of the BLAS may give a row other bits at another
 * place, in a period of twelve rows, or in a product of another number of rows.  The first is found
 * out once, and prompts then begin at multiples of ROW_PACKING_STEP; the second is found out for
 * each number of rows that occurs, and prompts then run alone.  Both are decided by products of
 * equal rows, whose results must be equal.
 */
#ifndef MODEL_ROW_PACKING_H
#define MODEL_ROW_PACKING_H

#include <stdbool.h>

#include "base/err.h"
#include "model/params.h"

/* ROW_PACKING_ROWS: rows of a pass, unless a prompt is longer. More rows make products no faster,
 * but their activations leave the cache. */
enum { ROW_PACKING_STEP = 12, ROW_PACKING_ROWS = 720 };

struct row_packing {
    struct model_dims dims;
    size_t most;   /* rows of a pass at most */
    size_t period; /* of rows that have equal bits: 1 or ROW_PACKING_STEP; 0: not determined */
    const struct params *model; /* whose products they are: of the pass that is made */
    unsigned char *known; /* by rows / ROW_PACKING_STEP: 0, or what row_packing_fits() found */
};

/* Rows of a pass at most, for prompts of up to `tokens` tokens. */
size_t row_packing_most(size_t tokens);

/* ERR_MEMORY. */
enum err_code row_packing_create(struct row_packing *out, const struct model_dims *dims,
                                 size_t tokens, struct err *err);
void row_packing_destroy(struct row_packing *g);

/* Rows that a prompt takes: what the next prompt begins after. */
size_t row_packing_rows(struct row_packing *g, size_t n_tokens);

/* Rows of a pass that uses `rows` of them. */
size_t row_packing_pass(size_t rows);

/* Memory that row_packing_rows() and row_packing_fits() take while they find out, with passes of up
 * to `rows` rows. */
size_t row_packing_bytes(const struct model_dims *d, size_t rows);

/* May rows of several prompts, or a prompt of so many rows and others, run in one pass? */
bool row_packing_fits(struct row_packing *g, size_t rows);

#endif
