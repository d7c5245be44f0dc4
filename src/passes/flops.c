#include "passes/flops.h"

double flops_forward(const struct model_dims *d, double tokens, double seen) {
    double L = (double)d->L, E = (double)d->E;
    double weights = 12 * L * E * E + (double)d->inputs * E;
    return tokens * (2 * weights + 4 * L * E * seen);
}
