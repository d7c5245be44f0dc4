/*
 * answer_fit.h - what tells the fit of a line of answers from the other fits of its table.
 */
#ifndef RUN_TABLES_ANSWER_FIT_H
#define RUN_TABLES_ANSWER_FIT_H

#include "run/tables/key_columns.h"

/* In which keys the fits of a table differ. A stage has thousands of evaluations of a few hundred
 * fits, so each comparison is made once. */
struct answer_fits {
    const struct plan *plan;
    const struct key_columns *keys;     /* columns of the stage, of which those of fits count */
    bool several;                       /* its evaluations read fits of several stages */
    struct answer_fits_of_key *of_keys; /* [keys->n] */
};

/* *p and *keys must outlive *out. ERR_MEMORY. */
enum err_code answer_fits_create(struct answer_fits *out, const struct plan *p, size_t stage,
                                 const struct key_columns *keys, struct err *err);
void answer_fits_destroy(struct answer_fits *f); /* idempotent */

/* Appends the stage of the fit that an evaluation reads, where the evaluations of its stage read
 * several, and the keys in which the fits of its method differ in that stage: "initial, lr=0.01".
 * Appends nothing for a job without a fit. ERR_MEMORY. */
enum err_code answer_fit_describe(struct text *out, struct answer_fits *f, size_t job,
                                  struct err *err);

/* The column is of the fits that a stage reads, not of its own jobs or of their model. */
bool answer_fit_has(const struct key_column *column);

#endif
