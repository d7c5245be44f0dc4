#include "stats/distances.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/order.h"

static size_t count_up_to(const double *x, size_t n, size_t from, double at) {
    while (from < n && x[from] <= at) from++;
    return from;
}

/* Both sorted: from each value to the next one of either sample F and G are constant. */
static struct distances walk(const double *x, size_t n, const double *y, size_t m) {
    struct distances d = {0.0, 0.0};
    size_t i = 0, k = 0;
    while (i < n || k < m) {
        const double at = k == m || (i < n && x[i] <= y[k]) ? x[i] : y[k];
        i = count_up_to(x, n, i, at);
        k = count_up_to(y, m, k, at);
        const double gap = fabs((double)i / (double)n - (double)k / (double)m);
        d.kolmogorov_smirnov = fmax(d.kolmogorov_smirnov, gap);
        if (gap == 0.0) continue; /* also at the end, where there is no next value */
        const double next = k == m || (i < n && x[i] <= y[k]) ? x[i] : y[k];
        d.wasserstein += gap * (next - at);
    }
    return d;
}

static size_t count_finite(const double *x, size_t n) {
    size_t found = 0;
    for (size_t i = 0; i < n; i++) found += isfinite(x[i]) != 0;
    return found;
}

enum err_code distances_of(struct distances *out, const double *x, size_t n, const double *y,
                           size_t m, struct err *err) {
    enum err_code rc = ERR_OK;
    double *sorted = NULL;
    CHECK(n > 0 && m > 0, ERR_CONFIG, "distances: expected two samples, got %zu and %zu values", n,
          m);
    CHECK(count_finite(x, n) == n && count_finite(y, m) == m, ERR_CONFIG,
          "distances: expected finite values, got %zu of %zu and %zu of %zu", count_finite(x, n), n,
          count_finite(y, m), m);
    sorted = malloc((n + m) * sizeof *sorted);
    CHECK(sorted, ERR_MEMORY, "distances: no memory for %zu values", n + m);
    memcpy(sorted, x, n * sizeof *x);
    memcpy(sorted + n, y, m * sizeof *y);
    order_sort(sorted, n);
    order_sort(sorted + n, m);
    *out = walk(sorted, n, sorted + n, m);
cleanup:
    free(sorted);
    return rc;
}
