/*
 * vector_ops.h - copying, adding and scaling arrays and rows of matrices.
 */
#ifndef OPS_VECTOR_OPS_H
#define OPS_VECTOR_OPS_H

#include <stddef.h>
#include <stdint.h>

void vector_add(float *restrict y, const float *restrict x, size_t n);           /* y += x */
void vector_axpy(float *restrict y, float a, const float *restrict x, size_t n); /* y += a x */
void vector_scale(float *y, float a, size_t n);                                  /* y *= a */

/* sum over i of x[i] y[i], in double, in order. */
double vector_dot(const float *x, const float *y, size_t n);

double vector_norm(const float *x, size_t n); /* sqrt(vector_dot(x, x, n)) */

/* sum over i of x[i] y[i], in order. */
double vector_dot_real(const double *x, const double *y, size_t n);

/* out [R, H D]: slice h of each row of u, D wide, times w[h]. */
void vector_scale_slices(float *restrict out, const float *restrict u, const float *restrict w,
                         size_t R, size_t H, size_t D);

/* out [R,E] row r = x row index[r]. */
void rows_gather(float *restrict out, const float *restrict x, const uint32_t *restrict index,
                 size_t R, size_t E);

/* out [E] += sum over r of x [R,E], in the order of r: the gradient of a broadcast row. */
void rows_sum(float *restrict out, const float *restrict x, size_t R, size_t E);
/* The same with rows that are ld floats apart. */
void rows_sum_apart(float *restrict out, const float *restrict x, size_t R, size_t E, size_t ld);

#endif
