/*
 * bootstrap.h - percentile intervals by resampling with replacement (Efron 1979), crossed over
 * seeds and functions (resamples.h).
 *
 * Numbers are [seeds, functions]; with one seed only functions are resampled. `confidence` is
 * two-sided: 0.95. Percentiles interpolate linearly between order statistics (Hyndman and Fan, type
 * 7). Of fewer than two functions low and high are NaN: an unknown interval.
 */
#ifndef STATS_BOOTSTRAP_H
#define STATS_BOOTSTRAP_H

#include <stdbool.h>

#include "base/err.h"
#include "stats/interval.h"
#include "stats/resamples.h"

/* The mean of x [seeds, functions] over both. ERR_MEMORY; the functions below have the same error.
 */
enum err_code bootstrap_mean(struct interval *out, const double *x, const struct resamples *r,
                             double confidence, struct err *err);

/* The ratio of sums, sum(above) / sum(below), both [seeds, functions] and resampled together. A
 * resample whose sum(below) is 0 counts as +-infinity, 0/0 as 0. */
enum err_code bootstrap_ratio(struct interval *out, const double *above, const double *below,
                              const struct resamples *r, double confidence, struct err *err);

/* The recovered fraction (docs/methods.md): the fraction of the excess error of `plain` over
 * `oracle` that `method` removes, (plain - method) / (plain - oracle) of pooled sums. Each array
 * is [seeds, functions]: an error, its mean over a range of k. *known is false, and *out NaN,
 * unless the interval of plain - oracle excludes 0; *loss is that interval (of the mean). */
enum err_code bootstrap_recovered(struct interval *out, struct interval *loss, bool *known,
                                  const double *plain, const double *method, const double *oracle,
                                  const struct resamples *r, double confidence, struct err *err);

#endif
