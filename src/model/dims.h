/*
 * dims.h - the family and the sizes of a model, named by the symbols of the papers.
 */
#ifndef MODEL_DIMS_H
#define MODEL_DIMS_H

#include <stddef.h>

/* Index of the model's row in family.c. 0, the default, is Garg's regression model. */
enum family_id { FAMILY_GPT2_REGRESSION, FAMILY_GPT2, FAMILY_COUNT };

struct model_dims {
    size_t L;          /* layers */
    size_t H;          /* heads; divides E */
    size_t E;          /* width of the residual stream; the MLP is 4 E wide */
    size_t inputs;     /* coordinates of x: the width of a token before the read-in map; 0 for
                          families that embed token ids */
    size_t vocabulary; /* V: token ids are below it; 0 for families with a read-in map */
    size_t positions;  /* rows of wpe: the longest sequence, in tokens */
    float epsilon;     /* of every LayerNorm */
    enum family_id family;
};

static inline size_t model_head_width(const struct model_dims *d) { return d->E / d->H; }

/* Points of the longest regression prompt: a point (x, y) is two tokens. */
static inline size_t model_points(const struct model_dims *d) { return d->positions / 2; }

#endif
