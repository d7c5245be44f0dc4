/*
 * lasso.h - the objective of a lasso solution, for comparisons with other solvers.
 */
#ifndef ESTIMATORS_LASSO_H
#define ESTIMATORS_LASSO_H

/* |X w - y|^2 / (2 k) + alpha |w|_1 at the weights of the last prediction made with this state. */
double lasso_objective(const void *state);

#endif
