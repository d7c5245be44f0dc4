#include "stats/order.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void order_sort(double *x, size_t n) {
    if (n > 1) qsort(x, n, sizeof *x, by_value);
}
