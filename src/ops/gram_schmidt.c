#include "ops/gram_schmidt.h"

#include <math.h>

#include "ops/vector_ops.h"

double gram_schmidt_rest(double *restrict row, double *restrict coordinates,
                         const double *restrict q, size_t k, size_t n) {
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < k; i++) {
            const double along = vector_dot_real(row, q + i * n, n);
            if (coordinates) coordinates[i] += along;
            for (size_t c = 0; c < n; c++) row[c] -= along * q[i * n + c];
        }
    return sqrt(vector_dot_real(row, row, n));
}
