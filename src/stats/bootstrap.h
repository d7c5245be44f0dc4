/*
 * bootstrap.h - percentile intervals by resampling with replacement (Efron 1979).
 *
 * Which values a resample holds is a pure function of the stream's name and the resample's number,
 * so intervals are reproducible, and two statistics with one stream see the same resamples.
 * Percentiles interpolate linearly between order statistics (Hyndman and Fan, type 7).
 */
#ifndef STATS_BOOTSTRAP_H
#define STATS_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "stats/interval.h"

struct bootstrap {
    struct rng stream; /* rng_stream(seed, "bootstrap/...") */
    uint32_t resamples;
    double confidence; /* two-sided: 0.95 */
};

/* The mean of x [n]. ERR_CONFIG when n or resamples is 0, ERR_MEMORY; the functions below have the
 * same errors. */
enum err_code bootstrap_mean(struct interval *out, const double *x, size_t n,
                             const struct bootstrap *b, struct err *err);

/* The ratio of sums, sum(above) / sum(below), both [n] and resampled together. A resample whose
 * sum(below) is 0 counts as +-infinity, 0/0 as 0. */
enum err_code bootstrap_ratio(struct interval *out, const double *above, const double *below,
                              size_t n, const struct bootstrap *b, struct err *err);

/* The recovered fraction (docs/methods.md): the fraction of the excess error of `plain` over
 * `oracle` that `method` removes, (plain - method) / (plain - oracle) of pooled sums. Each array
 * [n] holds one number per function: its error summed over k. *known is false, and *out NaN, unless
 * the interval of plain - oracle excludes 0; *loss is that interval (of the mean). */
enum err_code bootstrap_recovered(struct interval *out, struct interval *loss, bool *known,
                                  const double *plain, const double *method, const double *oracle,
                                  size_t n, const struct bootstrap *b, struct err *err);

#endif
