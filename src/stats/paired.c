#include "stats/paired.h"

#include <math.h>
#include <stdbool.h>

#include "stats/moments.h"
#include "stats/wilcoxon.h"

static double share_above_zero(const double *d, size_t n) {
    size_t above = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(d[i])) return nan("");
        above += d[i] > 0.0;
    }
    return n > 0 ? (double)above / (double)n : nan("");
}

static bool all_finite(const double *d, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(d[i])) return false;
    return true;
}

static bool differences_equal(const double *d, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (d[i] != d[0]) return false;
    return true;
}

/* The deviation of equal values is 0 but for rounding. */
static double standardised_mean(const double *d, size_t n) {
    const struct moments m = moments_of(d, n);
    return n > 1 && !differences_equal(d, n) ? m.mean / sqrt(m.variance) : nan("");
}

enum err_code paired_compare(struct paired *out, const double *d, size_t n,
                             const struct sign_flips *flips, struct err *err) {
    enum err_code rc = ERR_OK;
    struct wilcoxon ranks;
    *out = (struct paired){nan(""), nan(""), nan(""), nan(""), share_above_zero(d, n)};
    if (!all_finite(d, n)) return ERR_OK;
    TRY(sign_flip_test(&out->sign_flip, d, n, flips, err));
    TRY(wilcoxon_signed_rank(&ranks, d, n, err));
    out->wilcoxon = ranks.p;
    out->rank = ranks.effect;
    out->standardised = standardised_mean(d, n);
cleanup:
    return rc;
}
