#include "stats/holm.h"

#include <math.h>
#include <stdlib.h>

struct test {
    double p;
    size_t at;
};

static int by_p(const void *a, const void *b) {
    const double x = ((const struct test *)a)->p, y = ((const struct test *)b)->p;
    return (x > y) - (x < y);
}

enum err_code holm_adjust(double *adjusted, const double *p, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t m = 0;
    double least = 0.0;
    struct test *tests = malloc((n + 1) * sizeof *tests);
    CHECK(tests, ERR_MEMORY, "Holm: no memory for %zu tests", n);
    for (size_t i = 0; i < n; i++) {
        if (!isnan(p[i])) tests[m++] = (struct test){p[i], i};
        adjusted[i] = nan("");
    }
    if (m > 0) qsort(tests, m, sizeof *tests, by_p);
    for (size_t i = 0; i < m; i++) {
        least = fmax(least, fmin(1.0, (double)(m - i) * tests[i].p));
        adjusted[tests[i].at] = least;
    }
cleanup:
    free(tests);
    return rc;
}
