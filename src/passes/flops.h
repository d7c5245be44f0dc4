/*
 * flops.h - floating-point operations of a transformer, from which `plan` predicts the time of
 * jobs, and the queue their order.
 */
#ifndef PASSES_FLOPS_H
#define PASSES_FLOPS_H

#include "model/dims.h"

/* One forward pass over `tokens` tokens that attend to `seen` tokens each on average: two
 * operations per weight and token, four per coordinate of each token attended to. A backward pass
 * takes twice that with weight gradients, as much without. */
double flops_forward(const struct model_dims *d, double tokens, double seen);

#endif
