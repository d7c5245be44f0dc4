/*
 * alignment.h - how alike two clouds of activations are.
 *
 * Both are of the same prompts in the same order and of the same width. Distances of distributions
 * (the first four) ignore which point belongs to which prompt; linear CKA does not.
 */
#ifndef MEASURES_ALIGNMENT_H
#define MEASURES_ALIGNMENT_H

#include "measures/cloud.h"

struct alignment {
    double wasserstein;        /* 1-Wasserstein distance of the entries of `leading` */
    double kolmogorov_smirnov; /* the largest difference of their distribution functions */
    double frechet; /* squared Frechet distance of the normal distributions with the clouds' means
                       and covariances: |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) (Dowson and
                       Landau 1982; the FID of Heusel et al. 2017) */
    double mean_shift; /* |m - m'|^2 of it */
    double cka;        /* linear centred kernel alignment |X^T Y|^2 / (|X^T X| |Y^T Y|), Frobenius
                          norms of centred points (Kornblith et al. 2019, section 3) */
    double overlap;    /* mean squared cosine of the principal angles between the spaces of the
                          first principal axes: 1 where they are the same */
    double angle;      /* the largest of these angles, in degrees */
};

/* cosines [axes]: of the principal angles, the largest first (Bjorck and Golub 1973); those beyond
 * the rank of either cloud are NaN. cka, overlap and angle are NaN where all points of one cloud
 * are equal. ERR_NUMERIC, ERR_MEMORY. */
enum err_code alignment_of(struct alignment *out, double *cosines, const struct cloud *a,
                           const struct cloud *b, size_t axes, struct err *err);
size_t alignment_bytes(size_t E);

#endif
