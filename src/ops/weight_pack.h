/*
 * weight_pack.h - a weight matrix of a model, packed for products in bfloat16 parts.
 *
 * Outputs are packed in tiles of WEIGHT_PACK_TILE, each on its own, so that a part of a matrix that
 * begins at a multiple of it is a row of tiles too (weight_map_part()).  weight.h calls these
 * functions for a matrix that has a pack.
 */
#ifndef OPS_WEIGHT_PACK_H
#define OPS_WEIGHT_PACK_H

#include "ops/products.h"
#include "ops/weight.h"

enum { WEIGHT_PACK_TILE = 2048 };

struct weight_pack { /* of one tile; those of a matrix are an array */
    struct packed forward, backward;
    struct outer gradient; /* of a model that is trained */
};

/* The pack of m->W, whose forward results have rows ldy apart, or tiles that are matrices of their
 * own if `tiled`. trains: gradients of the weights are wanted. weight_pack_fill() gives it the
 * numbers, again after they have changed. ERR_MEMORY, ERR_CONFIG. */
struct weight_pack_request {
    size_t ldy;
    bool tiled, trains;
};
enum err_code weight_pack_create(struct weight_pack **out, struct products *p,
                                 const struct weight_map *m, const struct weight_pack_request *q,
                                 struct err *err);
enum err_code weight_pack_fill(struct weight_pack *pack, const struct weight_map *m,
                               struct err *err);
void weight_pack_destroy(struct weight_pack *pack, const struct weight_map *m); /* NULL-safe */

/* Bytes that it takes, about. */
size_t weight_pack_bytes(enum arithmetic a, size_t I, size_t O);

/* y [N,O] += x W; dx [N,I] += dy W^T; dW += x^T dy, shaped as W. */
void weight_pack_forward(float *y, size_t ldy, const float *x, const struct weight_map *m,
                         size_t N);
void weight_pack_backward(float *dx, const float *dy, size_t ldy, const struct weight_map *m,
                          size_t N);
void weight_pack_gradient(float *dW, const float *dy, size_t ldy, const float *x,
                          const struct weight_map *m, size_t N);

#endif
