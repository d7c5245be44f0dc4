/*
 * gram_schmidt.h - the component of a vector that is orthogonal to given orthonormal ones, in
 * double.
 *
 * Golub and Van Loan, "Matrix Computations", 4th edition, section 5.2: modified Gram-Schmidt,
 * applied twice, so that only rounding errors of the projections remain.
 */
#ifndef OPS_GRAM_SCHMIDT_H
#define OPS_GRAM_SCHMIDT_H

#include <stddef.h>

/* Subtracts from row [n] its projection on the k orthonormal rows of q [k, n], and adds the
 * coordinates of that projection to coordinates [k] unless that is NULL. Returns the norm of the
 * remaining row. */
double gram_schmidt_rest(double *restrict row, double *restrict coordinates,
                         const double *restrict q, size_t k, size_t n);

#endif
