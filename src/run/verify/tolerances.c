#include "run/verify/tolerances.h"

#include <math.h>

enum tolerance_scale { ABSOLUTE, SCALED, RELATIVE, DEVIATIONS };

#define X(name, number, scale) {number, scale},
static const struct {
    double number;
    enum tolerance_scale scale;
} TABLE[] = {VERIFY_TOLERANCES(X)};
#undef X

double tolerance_factor(enum arithmetic a) {
    static const double FACTORS[ARITHMETICS] = {[ARITHMETIC_F32] = 1,
                                                [ARITHMETIC_BF16X3] = 20,
                                                [ARITHMETIC_BF16X2] = 3e3,
                                                [ARITHMETIC_BF16] = 3e3};
    return FACTORS[a];
}

double tolerance_bound(enum tolerance t, double size) {
    switch (TABLE[t].scale) {
    case SCALED:
        return TABLE[t].number * fmax(1, size);
    case RELATIVE:
    case DEVIATIONS:
        return TABLE[t].number * size;
    case ABSOLUTE:
        break;
    }
    return TABLE[t].number;
}

double tolerance_of(enum tolerance t, const float *want, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)want[i]));
    return tolerance_bound(t, largest);
}
