/*
 * gram_schmidt.h - what a row adds to orthonormal ones, in double.
 *
 * Golub and Van Loan, "Matrix computations", 4th edition, section 5.2: the modified process, done
 * twice, which leaves of what lies along the rows no more than rounding.
 */
#ifndef OPS_GRAM_SCHMIDT_H
#define OPS_GRAM_SCHMIDT_H

#include <stddef.h>

/* row [n] loses its projection on the k orthonormal rows of q [k, n], whose coordinates are added
 * to share [k]; NULL: nobody asks. Returns the norm of what is left. */
double gram_schmidt_rest(double *restrict row, double *restrict share, const double *restrict q,
                         size_t k, size_t n);

#endif
