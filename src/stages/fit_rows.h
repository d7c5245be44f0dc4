/*
 * fit_rows.h - what every fit leaves, learned or derived: its row, its numbers, its choice.
 */
#ifndef STAGES_FIT_ROWS_H
#define STAGES_FIT_ROWS_H

#include "activations/basis_set.h"
#include "job/job.h"
#include "methods/method.h"

struct fit_rows {
    const struct method_setup *setup; /* with the choice that was kept */
    size_t points, T0;
    int64_t repeat, epochs, best_epoch;
    double train_loss, loss;      /* NaN: none; of validation */
    const char *end;              /* what ended the fit */
    const float *weights;         /* [weights], or NULL */
    const float *choice_losses;   /* [choices] of validation */
    const struct basis_set *mean; /* one row, or NULL */
};

enum err_code fit_rows_write(struct job_ctx *ctx, const struct fit_rows *r, struct err *err);

#endif
