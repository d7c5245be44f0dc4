/*
 * norm.h - the norm of a model's family: LayerNorm or RMSNorm, forward and backward.
 */
#ifndef MODEL_NORM_H
#define MODEL_NORM_H

#include "model/dims.h"

/* y, x [T,E]; gain [E]; bias [E] or NULL; mean (LayerNorm alone), rstd [T], for the backward pass.
 */
void norm_forward(float *restrict y, float *restrict mean, float *restrict rstd,
                  const float *restrict x, const float *restrict gain, const float *restrict bias,
                  const struct model_dims *d, size_t T);

/* dy [T,E] -> dx [T,E], dgain [E], dbias [E], all added to; dgain and dbias may be NULL. */
void norm_backward(float *restrict dx, float *restrict dgain, float *restrict dbias,
                   const float *restrict dy, const float *restrict x, const float *restrict mean,
                   const float *restrict rstd, const float *restrict gain,
                   const struct model_dims *d, size_t T);

#endif
