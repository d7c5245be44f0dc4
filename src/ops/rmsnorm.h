/*
 * rmsnorm.h - root-mean-square normalisation of rows [R,E], forward and backward.
 *
 * Zhang and Sennrich, "Root Mean Square Layer Normalization", arXiv:1910.07467, eq. 4. The result
 * of a row depends on that row alone.
 */
#ifndef OPS_RMSNORM_H
#define OPS_RMSNORM_H

#include <stddef.h>

/* y = gain * x * rstd, rstd = 1 / sqrt(mean of x^2 + eps). y, x [R,E]; y may be x; rstd [R], for
 * the backward pass; gain [E]. */
void rmsnorm_forward(float *y, float *restrict rstd, const float *x, const float *restrict gain,
                     float eps, size_t R, size_t E);

/* dy [R,E] -> dx [R,E], added to, and dgain [E], added to unless NULL. rstd is that of the forward
 * pass. */
void rmsnorm_backward(float *restrict dx, float *restrict dgain, const float *restrict dy,
                      const float *restrict x, const float *restrict rstd,
                      const float *restrict gain, size_t R, size_t E);

#endif
