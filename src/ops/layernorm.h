/*
 * layernorm.h - layer normalisation of rows [R,E], forward and backward.
 *
 * Ba, Kiros, Hinton, "Layer Normalization", arXiv:1607.06450, eq. 4.  The variance (divisor E) is
 * summed around the mean in a second pass, which avoids cancellation.  The result of a row depends
 * on that row alone.
 */
#ifndef OPS_LAYERNORM_H
#define OPS_LAYERNORM_H

#include <stddef.h>

/* y = gain * (x - mean) * rstd + bias, rstd = 1 / sqrt(variance + eps).
 * y, x [R,E]; mean, rstd [R], for the backward pass; gain, bias [E]. */
void layernorm_forward(float *restrict y, float *restrict mean, float *restrict rstd,
                       const float *restrict x, const float *restrict gain,
                       const float *restrict bias, float eps, size_t R, size_t E);

/* dy [R,E] -> dx [R,E], dgain [E], dbias [E], all added to; dgain and dbias may be NULL: not
 * wanted. mean and rstd are those of the forward pass. */
void layernorm_backward(float *restrict dx, float *restrict dgain, float *restrict dbias,
                        const float *restrict dy, const float *restrict x,
                        const float *restrict mean, const float *restrict rstd,
                        const float *restrict gain, size_t R, size_t E);

#endif
