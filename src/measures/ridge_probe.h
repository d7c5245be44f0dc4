/*
 * ridge_probe.h - how much of some numbers a linear map can read from activations: the held-out R^2
 * of ridge regression.
 *
 * Rows are independent samples. The first ones fit the map, the next ones choose the penalty, the
 * last ones measure it, so that R^2 is near 0 or below where there is nothing to read, however many
 * features there are (Alain and Bengio 2016, with the penalty chosen on validation).
 */
#ifndef MEASURES_RIDGE_PROBE_H
#define MEASURES_RIDGE_PROBE_H

#include <stddef.h>

#include "base/err.h"

enum { RIDGE_PROBE_PENALTIES = 23 };

struct ridge_probe_data {
    size_t train, validation, test; /* rows of each, 2 or more */
    size_t features, targets;
    const double *x; /* [train + validation + test, features] */
    const double *y; /* [train + validation + test, targets] */
};

struct ridge_probe {
    double penalty; /* alpha of |Y - X W|^2 + alpha |W|^2, of centred X and Y */
    double r2;      /* on test rows: 1 - squared error / squared distance from their mean, both
                       summed over all targets; NaN where the targets do not vary */
    double validation_r2;
    double *error, *spread; /* [test] the two sums of r2 by row */
    double *prediction;     /* [test, targets] */
    double *memory;
};

/* The penalty is the one of RIDGE_PROBE_PENALTIES with the least squared error on validation rows:
 * s times 10^-9, 10^-8.5, ... 10^2 with s the mean over features of their sum of squares. Solved by
 * the eigenvectors of X^T X, or of X X^T where there are more features than rows. ERR_NUMERIC where
 * a number is not finite; ERR_MEMORY. The caller releases *out, also after an error. */
enum err_code ridge_probe_run(struct ridge_probe *out, const struct ridge_probe_data *d,
                              struct err *err);
void ridge_probe_release(struct ridge_probe *r); /* idempotent */
size_t ridge_probe_bytes(const struct ridge_probe_data *d);

#endif
