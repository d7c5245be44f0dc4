#include "stats/wilcoxon.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b) {
    const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x > y) - (x < y);
}

/* Adds the ranks of sorted d[first..end), whose sizes are equal; returns t^3 - t of the t of them.
 */
static double add_ranks(struct wilcoxon *w, const double *d, size_t first, size_t end) {
    const double rank = 0.5 * (double)(first + 1 + end), t = (double)(end - first);
    for (size_t i = first; i < end; i++) *(d[i] > 0.0 ? &w->plus : &w->minus) += rank;
    return t * t * t - t;
}

/* d: sorted by size, no zeros. */
static void wilcoxon_of_sorted(struct wilcoxon *w, const double *d, size_t count) {
    const double n = (double)count;
    double ties = 0.0;
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && fabs(d[end]) == fabs(d[first]);) end++;
        ties += add_ranks(w, d, first, end);
    }
    const double variance = (n * (n + 1.0) * (2.0 * n + 1.0) - 0.5 * ties) / 24.0;
    w->z = (w->plus - n * (n + 1.0) / 4.0) / sqrt(variance);
    w->p = erfc(fabs(w->z) / sqrt(2.0));
    w->effect = (w->plus - w->minus) / (w->plus + w->minus);
}

enum err_code wilcoxon_signed_rank(struct wilcoxon *out, const double *d, size_t n,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct wilcoxon w = {.z = nan(""), .p = nan(""), .effect = nan("")};
    double *sorted = malloc((n + 1) * sizeof *sorted);
    CHECK(sorted, ERR_MEMORY, "Wilcoxon test: no memory for %zu values", n);
    for (size_t i = 0; i < n; i++)
        if (d[i] != 0.0) sorted[w.n++] = d[i];
    if (w.n > 0) {
        qsort(sorted, w.n, sizeof *sorted, by_size);
        wilcoxon_of_sorted(&w, sorted, w.n);
    }
    *out = w;
cleanup:
    free(sorted);
    return rc;
}
