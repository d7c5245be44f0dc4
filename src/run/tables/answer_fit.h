/*
 * answer_fit.h - what tells the fit of a line of answers from the other fits of its table.
 */
#ifndef RUN_TABLES_ANSWER_FIT_H
#define RUN_TABLES_ANSWER_FIT_H

#include "run/tables/key_columns.h"

/* Appends the stage of the fit that an evaluation reads, where the evaluations of its stage read
 * several, and the keys in which the fits of its method differ in that stage: "initial, lr=0.01".
 * Appends nothing for a job without a fit. keys: columns of the stage, of which those of fits
 * count. */
void answer_fit_describe(struct text *out, const struct plan *p, size_t job,
                         const struct key_columns *keys);

/* The column is of the fits that a stage reads, not of its own jobs or of their model. */
bool answer_fit_has(const struct key_column *column);

#endif
