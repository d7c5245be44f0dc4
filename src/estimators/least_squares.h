/*
 * least_squares.h - minimum-norm least squares, with or without a ridge penalty; shared by the
 * estimators `least_squares` and `ridge`.
 */
#ifndef ESTIMATORS_LEAST_SQUARES_H
#define ESTIMATORS_LEAST_SQUARES_H

#include "estimators/estimator.h"

/* Number of doubles in `work` for prompts of this size. */
size_t least_squares_work(size_t points, size_t dims);

/* *y of query k: w.x, where w minimises |X w - y|^2 + lambda |w|^2 over the first k examples,
 * without intercept, by LAPACK. Singular values below the rounding of single precision, in which
 * prompts are drawn, count as 0. */
enum err_code least_squares_predict(double *y, double *work, const struct estimator_prompt *p,
                                    size_t k, double lambda, struct err *err);

double least_squares_flops(size_t k, size_t dims); /* of one solution */

#endif
