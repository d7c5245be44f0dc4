#include "run/tables/error_ranges.h"

static size_t smaller_of(size_t a, size_t b) { return a < b ? a : b; }

size_t error_ranges(struct error_range out[ERROR_RANGES], size_t dims, size_t trained,
                    size_t points) {
    size_t n = 0;
    const size_t in_range = trained ? smaller_of(trained, points) : points;
    const size_t below = smaller_of(dims, in_range);
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
