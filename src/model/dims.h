/*
 * dims.h - the sizes of a model, in the letters of the papers.
 */
#ifndef MODEL_DIMS_H
#define MODEL_DIMS_H

#include <stddef.h>

struct model_dims {
    size_t L;         /* layers */
    size_t H;         /* heads; divides E */
    size_t E;         /* width of the residual stream; the MLP is 4 E wide */
    size_t inputs;    /* coordinates of x: the width of a token before the read-in map */
    size_t positions; /* rows of wpe: the longest sequence, in tokens */
    float epsilon;    /* of every LayerNorm */
};

static inline size_t model_head_width(const struct model_dims *d) { return d->E / d->H; }
static inline size_t model_points(const struct model_dims *d) { return d->positions / 2; }

#endif
