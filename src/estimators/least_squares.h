/*
 * least_squares.h - the weights of least norm among those of least squared error, with or without a
 * penalty; shared by the estimators that solve a linear system.
 */
#ifndef ESTIMATORS_LEAST_SQUARES_H
#define ESTIMATORS_LEAST_SQUARES_H

#include "estimators/estimator.h"

/* Doubles of `work` for prompts of this size. */
size_t least_squares_work(size_t points, size_t dims);

/* *y of query k: w.x with the w that least squares of the first k examples give, least |X w - y|^2
 * + lambda |w|^2 by LAPACK, no intercept. Directions below the rounding of single precision, in
 * which prompts are drawn, count as absent. */
enum err_code least_squares_predict(double *y, double *work, const struct estimator_prompt *p,
                                    size_t k, double lambda, struct err *err);

double least_squares_flops(size_t k, size_t dims); /* of one solution */

#endif
