/*
 * flops.h - useful arithmetic of a transformer, to order jobs and predict their time.
 */
#ifndef PASSES_FLOPS_H
#define PASSES_FLOPS_H

#include "model/dims.h"

/* Floating-point operations of one pass forward over `tokens` tokens that see `seen` tokens each on
 * average: two for each weight, four for each coordinate of each token seen. Backward is twice that
 * with weight gradients, once without. */
double flops_forward(const struct model_dims *d, double tokens, double seen);

#endif
