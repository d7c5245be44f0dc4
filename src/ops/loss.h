/*
 * loss.h - losses of predictions, with their gradients.
 *
 * Each returns weight * sum over i of loss(pred[i], target[i]), in double, and adds its gradient to
 * dpred [n] unless that is NULL.  weight = 1/n gives the mean.  A shard of a larger batch passes 1
 * over the size of the whole batch, so that losses and gradients of shards add up.
 */
#ifndef OPS_LOSS_H
#define OPS_LOSS_H

#include <stddef.h>

/* (pred - target)^2 */
double loss_mse(float *restrict dpred, const float *restrict pred, const float *restrict target,
                double weight, size_t n);

/* With e = pred - target: e^2/2 where |e| <= delta, else delta (|e| - delta/2). Huber, "Robust
 * Estimation of a Location Parameter", 1964. */
double loss_huber(float *restrict dpred, const float *restrict pred, const float *restrict target,
                  double delta, double weight, size_t n);

/* Binary cross-entropy of logits, log(1 + exp(-target pred)); targets are +1 and -1. */
double loss_logistic(float *restrict dpred, const float *restrict pred,
                     const float *restrict target, double weight, size_t n);

#endif
