/*
 * fit_results.h - what every fit writes, learned or derived: its row (fit_rows.h), tensors and
 * notes.
 */
#ifndef STAGES_FIT_RESULTS_H
#define STAGES_FIT_RESULTS_H

#include "activations/basis_set.h"
#include "job/job.h"
#include "methods/method.h"

struct fit_results {
    const struct method_setup *setup; /* its choice is the one that was kept */
    size_t points, T0;
    int64_t repeat, epochs, best_epoch;
    double train_loss, validation_loss; /* NaN: none */
    const char *end;                    /* column `end`: why the fit ended */
    const float *weights;               /* [weights], or NULL: the method has none */
    const float *choice_losses;         /* [choices]: validation loss of each */
    const struct basis_set *mean;       /* one row: the mean basis; NULL: each prompt has its own */
};

/* Writes them all through job_row(), job_tensor() and job_note(), whose errors it returns. */
enum err_code fit_results_write(struct job_ctx *ctx, const struct fit_results *r, struct err *err);

#endif
