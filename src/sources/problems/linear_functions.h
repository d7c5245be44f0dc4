/*
 * linear_functions.h - the weight vector that the linear problems share.
 */
#ifndef SOURCES_PROBLEMS_LINEAR_FUNCTIONS_H
#define SOURCES_PROBLEMS_LINEAR_FUNCTIONS_H

#include "sources/problems/problem.h"

size_t linear_functions_parameters(const struct problem_setup *s); /* w [dims] */

/* w ~ N(0, I): the first coordinates are the same for any dims. */
void linear_functions_draw(float *w, const struct problem_setup *s, const struct rng *stream,
                           uint64_t sample, size_t active);

/* y = w.x, summed in double, in order. */
void linear_functions_evaluate(float *y, const float *w, const struct problem_setup *s,
                               const float *x, size_t points);

double linear_functions_variance(const struct problem_setup *s, size_t active); /* active */

#endif
