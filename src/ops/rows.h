/*
 * rows.h - copying, adding and scaling arrays and rows of matrices.
 */
#ifndef OPS_ROWS_H
#define OPS_ROWS_H

#include <stddef.h>
#include <stdint.h>

void rows_add(float *restrict y, const float *restrict x, size_t n);           /* y += x */
void rows_axpy(float *restrict y, float a, const float *restrict x, size_t n); /* y += a x */
void rows_scale(float *y, float a, size_t n);                                  /* y *= a */

/* sum over i of x[i] y[i], in double, in order. */
double rows_dot(const float *x, const float *y, size_t n);

double rows_norm(const float *x, size_t n); /* the square root of that of x and x */

/* rows_dot of doubles. */
double rows_dot_real(const double *x, const double *y, size_t n);

/* out [R, H D]: slice h of each row of u, D wide, times w[h]. */
void rows_scale_slices(float *restrict out, const float *restrict u, const float *restrict w,
                       size_t R, size_t H, size_t D);

/* out [R,E] row r = x row index[r]. */
void rows_gather(float *restrict out, const float *restrict x, const uint32_t *restrict index,
                 size_t R, size_t E);

/* y row index[r] += x [R,E] row r, in the order of r; an index may occur twice. */
void rows_scatter_add(float *restrict y, const float *restrict x, const uint32_t *restrict index,
                      size_t R, size_t E);

/* out [E] += sum over r of x [R,E], in the order of r: the gradient of a broadcast row. */
void rows_sum(float *restrict out, const float *restrict x, size_t R, size_t E);

#endif
