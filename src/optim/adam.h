/*
 * adam.h - Adam: Kingma and Ba, arXiv:1412.6980, algorithm 1, with bias correction and without
 * weight decay.
 */
#ifndef OPTIM_ADAM_H
#define OPTIM_ADAM_H

#include <stddef.h>
#include <stdint.h>

struct adam {
    float beta1, beta2, epsilon;
};

/* Why a loss is NaN with epsilon 0, with the remedy. */
#define ADAM_WITHOUT_EPSILON                                                                       \
    "with optimiser.epsilon = 0 a weight whose gradient is 0 changes by 0 / 0: set it to 1e-8"

/* One update of w [n] in place, given the gradient g [n]. m, v [n]: its moments, zeros before the
 * first step. step counts from 1; lr is the learning rate of this step. */
void adam_step(float *restrict w, float *restrict m, float *restrict v, const float *restrict g,
               size_t n, const struct adam *a, float lr, int64_t step);

/* The L1 penalty, after adam_step(): the proximal map of l1 * sum of |w| in the metric of that step
 * (soft thresholding with the step size of each weight). A weight stays where the gradients of loss
 * and penalty cancel, and a small weight becomes exactly 0. */
void adam_shrink(float *restrict w, const float *restrict v, size_t n, const struct adam *a,
                 float lr, int64_t step, float l1);

#endif
