#include "stats/bootstrap.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Percentile p of sorted x [n], interpolated between order statistics; position p (n - 1), from 0.
 */
static double percentile(const double *x, size_t n, double p) {
    const double at = p * (double)(n - 1);
    const size_t i = (size_t)at;
    const double part = at - (double)i;
    if (part == 0.0 || x[i] == x[i + 1]) return x[i];
    return x[i] + part * (x[i + 1] - x[i]);
}

static void percentiles(struct interval *out, double *x, size_t n, double confidence) {
    qsort(x, n, sizeof *x, by_value);
    out->low = percentile(x, n, 0.5 - 0.5 * confidence);
    out->high = percentile(x, n, 0.5 + 0.5 * confidence);
}

static double ratio(double above, double below) { return above == 0.0 ? 0.0 : above / below; }

/* One resample: the ratio of its sums, or its mean where `below` is NULL. */
static double resample(const double *above, const double *below, size_t n, const struct rng *stream,
                       uint32_t number) {
    double over = 0.0, under = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t j = rng_below(n, stream, number, 0, i);
        over += above[j];
        under += below ? below[j] : 1.0;
    }
    return ratio(over, under);
}

static double ratio_of_sums(const double *above, const double *below, size_t n) {
    double over = 0.0, under = 0.0;
    for (size_t i = 0; i < n; i++) {
        over += above[i];
        under += below ? below[i] : 1.0;
    }
    return ratio(over, under);
}

enum err_code bootstrap_ratio(struct interval *out, const double *above, const double *below,
                              size_t n, const struct bootstrap *b, struct err *err) {
    enum err_code rc = ERR_OK;
    double *x = malloc(b->resamples * sizeof *x);
    CHECK(n > 0 && b->resamples > 0, ERR_CONFIG,
          "bootstrap: expected at least one value and one resample, got %zu and %u", n,
          (unsigned)b->resamples);
    CHECK(x, ERR_MEMORY, "bootstrap: no memory for %u resamples: use fewer",
          (unsigned)b->resamples);
    for (uint32_t i = 0; i < b->resamples; i++) x[i] = resample(above, below, n, &b->stream, i);
    percentiles(out, x, b->resamples, b->confidence);
    if (n == 1) out->low = out->high = nan(""); /* all resamples are equal: no interval */
    out->value = ratio_of_sums(above, below, n);
cleanup:
    free(x);
    return rc;
}

enum err_code bootstrap_mean(struct interval *out, const double *x, size_t n,
                             const struct bootstrap *b, struct err *err) {
    return bootstrap_ratio(out, x, NULL, n, b, err);
}

enum err_code bootstrap_recovered(struct interval *out, struct interval *loss, bool *known,
                                  const double *plain, const double *method, const double *oracle,
                                  size_t n, const struct bootstrap *b, struct err *err) {
    enum err_code rc = ERR_OK;
    struct interval lost, share = {nan(""), nan(""), nan("")};
    double *above = malloc((2 * n + 1) * sizeof *above), *below = above + n;
    CHECK(above, ERR_MEMORY, "bootstrap: no memory for %zu values", 2 * n);
    for (size_t i = 0; i < n; i++) {
        above[i] = plain[i] - method[i];
        below[i] = plain[i] - oracle[i];
    }
    TRY(bootstrap_mean(&lost, below, n, b, err));
    const bool sure = interval_excludes(&lost, 0.0);
    if (sure) TRY(bootstrap_ratio(&share, above, below, n, b, err));
    *out = share;
    *loss = lost;
    *known = sure;
cleanup:
    free(above);
    return rc;
}
