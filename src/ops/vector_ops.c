#include "ops/vector_ops.h"

#include <math.h>
#include <string.h>

void vector_add(float *restrict y, const float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += x[i];
}

void vector_axpy(float *restrict y, float a, const float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

void vector_scale(float *y, float a, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] *= a;
}

double vector_dot(const float *x, const float *y, size_t n) {
    double s = 0.0;
    for (size_t i = 0; i < n; i++) s += (double)x[i] * (double)y[i];
    return s;
}

void rows_gather(float *restrict out, const float *restrict x, const uint32_t *restrict index,
                 size_t R, size_t E) {
    for (size_t r = 0; r < R; r++) memcpy(out + r * E, x + index[r] * E, E * sizeof *x);
}

/* Rows are summed in groups of 32 and then over groups, which rounds less than one sum over
 * thousands of rows. */
void rows_sum(float *restrict out, const float *restrict x, size_t R, size_t E) {
    rows_sum_apart(out, x, R, E, E);
}

void rows_sum_apart(float *restrict out, const float *restrict x, size_t R, size_t E, size_t ld) {
    enum { COLUMNS = 64, ROWS = 32 };
    for (size_t r = 0; r < R; r += ROWS) {
        const size_t rows = R - r < ROWS ? R - r : ROWS;
        for (size_t e = 0; e < E; e += COLUMNS) {
            const size_t columns = E - e < COLUMNS ? E - e : COLUMNS;
            float sum[COLUMNS] = {0};
            for (size_t i = 0; i < rows; i++) vector_add(sum, x + (r + i) * ld + e, columns);
            vector_add(out + e, sum, columns);
        }
    }
}

double vector_norm(const float *x, size_t n) { return sqrt(vector_dot(x, x, n)); }

double vector_dot_real(const double *x, const double *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

void vector_scale_slices(float *restrict out, const float *restrict u, const float *restrict w,
                         size_t R, size_t H, size_t D) {
    for (size_t r = 0; r < R; r++)
        for (size_t h = 0; h < H; h++)
            for (size_t i = 0; i < D; i++) {
                const size_t at = (r * H + h) * D + i;
                out[at] = u[at] * w[h];
            }
}
