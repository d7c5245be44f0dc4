/*
 * adam.h - Adam, Kingma and Ba, arXiv:1412.6980, algorithm 1 (no decay, bias-corrected).
 */
#ifndef OPTIM_ADAM_H
#define OPTIM_ADAM_H

#include <stddef.h>
#include <stdint.h>

struct adam {
    float beta1, beta2, epsilon;
};

/* One update of w[n] in place with its moments m[n], v[n]; step counts from 1; lr of this step. */
void adam_step(float *restrict w, float *restrict m, float *restrict v, const float *restrict g,
               size_t n, const struct adam *a, float lr, int64_t step);

/* After a step: the proximal map of l1 times the sum of |w|, in the metric of that step, so that a
 * number stands still where the loss and the penalty balance; small ones become 0 exactly. */
void adam_shrink(float *restrict w, const float *restrict v, size_t n, const struct adam *a,
                 float lr, int64_t step, float l1);

#endif
