#include "run/tables/cell_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void cell_text_short(char out[CELL_TEXT], double value) {
    if (isnan(value))
        (void)snprintf(out, CELL_TEXT, "-");
    else
        (void)snprintf(out, CELL_TEXT, "%.4g", value);
}

void cell_text_exact(char out[CELL_TEXT], double value) {
    out[0] = '\0';
    if (isnan(value)) return;
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, CELL_TEXT, "%.*g", digits, value);
        if (strtod(out, NULL) == value) return;
    }
}

/* Decimals that show the second significant digit of half: 3 for 0.015, 0 for 15 and more; at most
 * MOST, so that columns stay narrow. */
static int decimals_of(double half) {
    static const double MOST = 4;
    return (int)fmin(MOST, fmax(0, 1 - floor(log10(half))));
}

void cell_text_interval(char out[CELL_TEXT], const struct interval *i) {
    static const double TINY = 1e-3, HUGE_VALUE = 1e6, NARROW = 5e-5;
    const double half = (i->high - i->low) / 2, size = fmax(fabs(i->value), half);
    if (isnan(i->value)) {
        (void)snprintf(out, CELL_TEXT, "-");
    } else if (isnan(half) || half == 0) { /* unknown, as of one function; or exact */
        cell_text_short(out, i->value);
    } else if (size < TINY || size >= HUGE_VALUE) {
        (void)snprintf(out, CELL_TEXT, "%.0e ±%.0e", i->value, half);
    } else if (half < NARROW) { /* decimals would show it as 0 */
        (void)snprintf(out, CELL_TEXT, "%.4g ±%.0e", i->value, half);
    } else {
        const int decimals = decimals_of(half);
        const double unit = pow(10, -decimals), value = round(i->value / unit) * unit;
        (void)snprintf(out, CELL_TEXT, "%.*f ±%.*f", decimals, value + 0.0, decimals, half);
    }
}
