/*
 * distances.h - how far two samples of numbers are apart. Distances only, without p values: where
 * the numbers are entries of one vector they are not independent draws.
 */
#ifndef STATS_DISTANCES_H
#define STATS_DISTANCES_H

#include <stddef.h>

#include "base/err.h"

struct distances {
    double kolmogorov_smirnov; /* the largest |F - G| of the distribution functions */
    double wasserstein;        /* the integral of |F - G|, the 1-Wasserstein distance */
};

/* Of x [n] and y [m]. ERR_CONFIG where one is empty or holds a number that is not finite,
 * ERR_MEMORY. */
enum err_code distances_of(struct distances *out, const double *x, size_t n, const double *y,
                           size_t m, struct err *err);

#endif
