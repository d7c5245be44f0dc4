/*
 * cross_product.h - products of matrices of double, in a fixed order of summation.
 *
 * BLAS is for the single precision of models. The measures compute in double, on matrices that are
 * small beside those of a pass.
 */
#ifndef MEASURES_CROSS_PRODUCT_H
#define MEASURES_CROSS_PRODUCT_H

#include <stddef.h>

/* out [I, J] = A^T B, with A [n, I] and B [n, J]. */
void cross_product(double *restrict out, const double *restrict A, const double *restrict B,
                   size_t n, size_t I, size_t J);

/* out [I, J] = A B^T, with A [I, K] and B [J, K]: inner products of rows. */
void cross_product_rows(double *restrict out, const double *restrict A, const double *restrict B,
                        size_t I, size_t J, size_t K);

/* Subtracts mean [E] from each row of x [n, E]. */
void cross_product_centre(double *restrict x, const double *restrict mean, size_t n, size_t E);

/* mean [E] of the rows of x [n, E]. */
void cross_product_mean(double *restrict mean, const double *restrict x, size_t n, size_t E);

#endif
