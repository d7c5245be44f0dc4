/*
 * linear.h - the affine map y = x W + b on rows, and its gradients.
 *
 * W is stored as [I,O] (published GPT-2 files) or as [O,I] (most other files); `layout` specifies
 * which, for both W and dW.  Forward overwrites y and backward overwrites dx; backward adds to the
 * weight gradients dW and db.
 */
#ifndef OPS_LINEAR_H
#define OPS_LINEAR_H

#include <stddef.h>

enum linear_layout {
    LINEAR_IN_OUT, /* W [I,O], y = x W + b    (Conv1D) */
    LINEAR_OUT_IN  /* W [O,I], y = x W^T + b  (Linear) */
};

/* y [N,O], x [N,I]; b [O] or NULL for none. */
void linear_forward(float *restrict y, const float *restrict x, const float *restrict W,
                    const float *restrict b, size_t N, size_t I, size_t O,
                    enum linear_layout layout);

/* y = base + x W + b with base [N,O]: the residual stream after the MLP of a block. */
void linear_forward_onto(float *restrict y, const float *restrict base, const float *restrict x,
                         const float *restrict W, const float *restrict b, size_t N, size_t I,
                         size_t O, enum linear_layout layout);

/* dy [N,O] -> dx [N,I], dW (shaped as W), db [O]; each of the three may be NULL and then costs
 * nothing. x is read only for dW and W only for dx; either may be NULL when it is not read. */
void linear_backward(float *restrict dx, float *restrict dW, float *restrict db,
                     const float *restrict dy, const float *restrict x, const float *restrict W,
                     size_t N, size_t I, size_t O, enum linear_layout layout);

#endif
