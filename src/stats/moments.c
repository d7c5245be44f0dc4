#include "stats/moments.h"

#include <math.h>

/* Of x, or of x - y where y is given. */
static struct moments two_pass(const double *x, const double *y, size_t n) {
    struct moments m = {n, nan(""), nan("")};
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++) sum += y ? x[i] - y[i] : x[i];
    if (n > 0) m.mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double from_mean = (y ? x[i] - y[i] : x[i]) - m.mean;
        squares += from_mean * from_mean;
    }
    if (n > 1) m.variance = squares / (double)(n - 1);
    return m;
}

struct moments moments_of(const double *x, size_t n) {
    return two_pass(x, NULL, n);
}

struct moments moments_of_differences(const double *x, const double *y, size_t n) {
    return two_pass(x, y, n);
}
