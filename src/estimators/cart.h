/*
 * cart.h - a greedy regression tree, down to the leaf of one query.
 */
#ifndef ESTIMATORS_CART_H
#define ESTIMATORS_CART_H

#include <stdbool.h>

#include "estimators/estimator.h"

/* *y of query k from the k examples before it; depth 0: no limit. *tied: equally good splits were
 * met on the way, so *y may depend on p->seed and p->sample, or on rounding. order [k] and dims
 * [p->dims]: scratch. */
void cart_leaf_mean(double *y, bool *tied, const struct estimator_prompt *p, size_t k, size_t depth,
                    uint32_t *order, uint32_t *dims);

#endif
