#include "run/tables/error_ranges.h"

#include <math.h>
#include <stdio.h>

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

size_t error_ranges(struct error_range out[REDUCE_RANGES], size_t dims, size_t trained,
                    size_t points) {
    size_t n = 0;
    const size_t in_range = trained ? least(trained, points) : points;
    const size_t below = least(dims, in_range);
    if (below > 0) out[n++] = (struct error_range){0, below - 1, "below d"};
    if (in_range > below) out[n++] = (struct error_range){below, in_range - 1, "in range"};
    if (points > in_range) out[n++] = (struct error_range){in_range, points - 1, "beyond"};
    if (points > 1) out[n++] = (struct error_range){points - 1, points - 1, "last"};
    return n;
}

void error_range_add(double *sums, const float *errors, size_t functions, size_t points,
                     const struct error_range *range) {
    for (size_t f = 0; f < functions; f++) {
        double sum = 0.0;
        for (size_t k = range->first; k <= range->last; k++) sum += (double)errors[f * points + k];
        sums[f] += sum / (double)(range->last - range->first + 1);
    }
}

struct interval error_range_interval(double *sums, size_t functions, size_t repeats) {
    for (size_t f = 0; f < functions; f++) sums[f] /= (double)repeats;
    return interval_t(sums, functions, 0.95);
}

void error_range_number(char out[32], double value) {
    if (isnan(value))
        (void)snprintf(out, 32, "-");
    else
        (void)snprintf(out, 32, "%.3g", value);
}
