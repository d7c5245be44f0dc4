#include "stats/bootstrap.h"

#include <math.h>
#include <stdlib.h>

#include "stats/order.h"

/* Percentile p of sorted x [n], interpolated between order statistics; position p (n - 1), from 0.
 */
static double percentile(const double *x, size_t n, double p) {
    const double at = p * (double)(n - 1);
    const size_t i = (size_t)at;
    const double part = at - (double)i;
    if (part == 0.0 || x[i] == x[i + 1]) return x[i];
    return x[i] + part * (x[i + 1] - x[i]);
}

static bool all_known(const double *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i])) return false;
    return true;
}

static void percentiles(struct interval *out, double *x, size_t n, double confidence) {
    out->low = out->high = nan("");
    if (!all_known(x, n)) return;
    order_sort(x, n);
    out->low = percentile(x, n, 0.5 - 0.5 * confidence);
    out->high = percentile(x, n, 0.5 + 0.5 * confidence);
}

static double ratio(double above, double below) { return above == 0.0 ? 0.0 : above / below; }

/* Of the values of one seed, those that `indices` [n] names, in four sums that do not wait for each
 * other. */
static double sum_at(const double *x, const uint32_t *indices, size_t n) {
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++) sums[k] += x[indices[i + k]];
    for (; i < n; i++) sums[0] += x[indices[i]];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Of one resample: every chosen seed at every chosen function. by_seed: [seeds], scratch. */
static double resample_sum(const double *x, const struct resamples *r, size_t number,
                           double *by_seed) {
    const uint32_t *seed = r->seed + number * r->seeds;
    const uint32_t *function = r->function + number * r->functions;
    double sum = 0.0;
    for (size_t s = 0; s < r->seeds; s++)
        by_seed[s] = sum_at(x + s * r->functions, function, r->functions);
    for (size_t s = 0; s < r->seeds; s++) sum += by_seed[seed[s]];
    return sum;
}

static double sum_of(const double *x, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

/* The ratio of sums; the mean where `below` is NULL. */
static enum err_code bootstrap(struct interval *out, const double *above, const double *below,
                               const struct resamples *r, double confidence, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = r->seeds * r->functions;
    double *x = malloc((r->n + r->seeds) * sizeof *x), *by_seed = x + r->n;
    CHECK(x, ERR_MEMORY, "bootstrap: no memory for %zu resamples: use fewer", r->n);
    out->value = ratio(sum_of(above, n), below ? sum_of(below, n) : (double)n);
    for (size_t i = 0; i < r->n; i++) {
        const double under = below ? resample_sum(below, r, i, by_seed) : (double)n;
        x[i] = ratio(resample_sum(above, r, i, by_seed), under);
    }
    percentiles(out, x, r->n, confidence);
    if (r->functions < 2) out->low = out->high = nan("");
cleanup:
    free(x);
    return rc;
}

enum err_code bootstrap_mean(struct interval *out, const double *x, const struct resamples *r,
                             double confidence, struct err *err) {
    return bootstrap(out, x, NULL, r, confidence, err);
}

enum err_code bootstrap_ratio(struct interval *out, const double *above, const double *below,
                              const struct resamples *r, double confidence, struct err *err) {
    return bootstrap(out, above, below, r, confidence, err);
}

enum err_code bootstrap_recovered(struct interval *out, struct interval *loss, bool *known,
                                  const double *plain, const double *method, const double *oracle,
                                  const struct resamples *r, double confidence, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = r->seeds * r->functions;
    struct interval lost, share = {nan(""), nan(""), nan("")};
    double *above = malloc((2 * n + 1) * sizeof *above), *below = above + n;
    CHECK(above, ERR_MEMORY, "bootstrap: no memory for %zu values", 2 * n);
    for (size_t i = 0; i < n; i++) {
        above[i] = plain[i] - method[i];
        below[i] = plain[i] - oracle[i];
    }
    TRY(bootstrap_mean(&lost, below, r, confidence, err));
    const bool sure = interval_excludes(&lost, 0.0);
    if (sure) TRY(bootstrap_ratio(&share, above, below, r, confidence, err));
    *out = share;
    *loss = lost;
    *known = sure;
cleanup:
    free(above);
    return rc;
}
