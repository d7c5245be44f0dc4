#include "model/norm.h"

#include "model/family.h"
#include "ops/layernorm.h"
#include "ops/rmsnorm.h"

void norm_forward(float *restrict y, float *restrict mean, float *restrict rstd,
                  const float *restrict x, const float *restrict gain, const float *restrict bias,
                  const struct model_dims *d, size_t T) {
    switch (family_of(d)->norm) {
    case NORM_LAYER:
        layernorm_forward(y, mean, rstd, x, gain, bias, d->epsilon, T, d->E);
        return;
    case NORM_RMS:
        rmsnorm_forward(y, rstd, x, gain, d->epsilon, T, d->E);
        return;
    }
}

void norm_backward(float *restrict dx, float *restrict dgain, float *restrict dbias,
                   const float *restrict dy, const float *restrict x, const float *restrict mean,
                   const float *restrict rstd, const float *restrict gain,
                   const struct model_dims *d, size_t T) {
    switch (family_of(d)->norm) {
    case NORM_LAYER:
        layernorm_backward(dx, dgain, dbias, dy, x, mean, rstd, gain, T, d->E);
        return;
    case NORM_RMS:
        rmsnorm_backward(dx, dgain, dy, x, rstd, gain, T, d->E);
        return;
    }
}
