/*
 * fit_report.h - what every fit leaves, learned or derived: its row, its numbers, its choice.
 */
#ifndef STAGES_FIT_REPORT_H
#define STAGES_FIT_REPORT_H

#include "methods/basis_set.h"
#include "methods/method.h"
#include "sched/job.h"

struct fit_report {
    const struct method_setup *setup; /* with the choice that was kept */
    size_t points, T0;
    int64_t repeat, epochs, best_epoch;
    double train_loss, loss;      /* NaN: none; of validation */
    const char *end;              /* what ended the fit */
    const float *weights;         /* [weights], or NULL */
    const float *choice_losses;   /* [choices] of validation */
    const struct basis_set *mean; /* one row, or NULL */
};

enum err_code fit_report_write(struct job_ctx *ctx, const struct fit_report *r, struct err *err);

#endif
