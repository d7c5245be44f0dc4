#include "measures/cross_product.h"

#include <string.h>

#include "ops/vector_ops.h"

void cross_product(double *restrict out, const double *restrict A, const double *restrict B,
                   size_t n, size_t I, size_t J) {
    memset(out, 0, I * J * sizeof *out);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < I; i++) {
            const double a = A[r * I + i];
            for (size_t j = 0; j < J; j++) out[i * J + j] += a * B[r * J + j];
        }
}

void cross_product_rows(double *restrict out, const double *restrict A, const double *restrict B,
                        size_t I, size_t J, size_t K) {
    for (size_t i = 0; i < I; i++)
        for (size_t j = 0; j < J; j++) out[i * J + j] = vector_dot_real(A + i * K, B + j * K, K);
}

void cross_product_mean(double *restrict mean, const double *restrict x, size_t n, size_t E) {
    memset(mean, 0, E * sizeof *mean);
    for (size_t r = 0; r < n; r++)
        for (size_t e = 0; e < E; e++) mean[e] += x[r * E + e];
    for (size_t e = 0; e < E; e++) mean[e] /= (double)n;
}

void cross_product_centre(double *restrict x, const double *restrict mean, size_t n, size_t E) {
    for (size_t r = 0; r < n; r++)
        for (size_t e = 0; e < E; e++) x[r * E + e] -= mean[e];
}
