/* drawn.h - numbers that NumPy can draw too: a linear congruential generator modulo 2^31. */
#ifndef TESTS_MEASURES_DRAWN_H
#define TESTS_MEASURES_DRAWN_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* x [n, E]: coordinate e is uniform on shift + scale (e + 1) [-1/2, 1/2). */
static inline void drawn_cloud(double *x, size_t n, size_t E, uint32_t seed, double scale,
                               double shift) {
    for (size_t i = 0; i < n * E; i++) {
        seed = (seed * 1103515245U + 12345U) & 0x7fffffffU;
        const double width = scale * (double)(i % E + 1);
        x[i] = ((double)seed / 2147483648.0 - 0.5) * width + shift;
    }
}

static inline void near(double got, double wanted, double tolerance) {
    if (fabs(got - wanted) <= tolerance * fmax(1, fabs(wanted))) return;
    fail_msg("got %.12g, expected %.12g", got, wanted);
}

#endif
