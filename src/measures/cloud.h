/*
 * cloud.h - activations of n prompts at one place of a model as a cloud of points in E dimensions:
 * its mean and covariance, its principal axes, its leading left singular vector.
 *
 * Use: cloud_create(), set c->x, cloud_measure(), then alignment.h; for the next layer the caller
 * sets c->x again.
 */
#ifndef MEASURES_CLOUD_H
#define MEASURES_CLOUD_H

#include <stddef.h>

#include "base/err.h"

struct cloud {
    size_t n, E;
    double *x;          /* [n, E] the points, which the caller sets; cloud_measure() centres them */
    double *mean;       /* [E] */
    double *covariance; /* [E, E] with divisor n - 1 */
    double *variances;  /* [E] its eigenvalues, the largest first, none below 0 */
    double *axes;       /* [E, E] row i: the unit eigenvector of variances[i] */
    double *leading;    /* [n] first left singular vector of the points before they are centred,
                           times sqrt(n) so that it does not depend on n; of both signs the one
                           whose mean is positive */
    double *memory;     /* of all arrays */
};

/* n at least 2, E at least 1. ERR_MEMORY. */
enum err_code cloud_create(struct cloud *c, size_t n, size_t E, struct err *err);
void cloud_destroy(struct cloud *c); /* idempotent */
size_t cloud_bytes(size_t n, size_t E);

/* Fills everything from c->x. ERR_NUMERIC where a number is not finite; ERR_MEMORY. */
enum err_code cloud_measure(struct cloud *c, struct err *err);

/* Share of the variance along the first `axes` principal axes; NaN where all points are equal. */
double cloud_explained(const struct cloud *c, size_t axes);

/* Axes with a variance above 1e-12 of the largest one: those beyond them are arbitrary. */
size_t cloud_rank(const struct cloud *c);

#endif
