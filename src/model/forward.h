/*
 * forward.h - forward and backward pass of the whole model over whole sequences of real vectors.
 *
 * Pretraining and verification use it; fits and evaluations use query.h.  Block l (GPT-2, pre-norm:
 * Radford et al. 2019) computes mid = x[l] + c_proj(attention(ln_1(x[l]))), then x[l + 1] = mid +
 * mlp(ln_2(mid)).  A regression prompt alternates x and y tokens, so a sequence has an even length,
 * and predictions are read at its x tokens, the even positions.
 *
 * A pass that is laid out for the backward pass omits what no loss depends on: in the last block, z
 * and everything after it exist at x tokens only, [T/2, ...] without gaps, and `a` is not stored.
 */
#ifndef MODEL_FORWARD_H
#define MODEL_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/params.h"
#include "model/unembed.h"

struct forward_layer {                   /* T = tokens of all sequences together: B * length */
    float *ln_1, *ln_1_mean, *ln_1_rstd; /* [T, E], [T], [T] */
    float *qkv;                          /* [T, 3E] */
    float *att;                          /* [B, H] triangles as in ops/attention.h */
    float *z;                            /* [T, E] concatenated head outputs: input of c_proj */
    float *a;                            /* [T, E] output of c_proj, bias included; or NULL */
    float *mid;                          /* [T, E] residual after attention */
    float *ln_2, *ln_2_mean, *ln_2_rstd;
    float *fc, *gelu;  /* [T, 4E] before and after the activation */
    bool for_backward; /* then fc is overwritten by the derivative of the activation */
};

struct forward {
    struct model_dims dims;
    size_t B, length;         /* sequences and tokens of each, as laid out */
    size_t B_run, length_run; /* those of the last forward_run() */
    float *x; /* [L + 1, T, E] residual stream: x[0] embedding, x[l + 1] after block l; read it by
                 forward_x(), as layers lie B * length rows apart even after a smaller run */
    struct unembed last;          /* last.norm [B * length / 2, E] after ln_f, of x tokens only */
    float *prediction;            /* [B, length / 2] at the x tokens (even positions) */
    struct forward_layer *layers; /* [L] */
    struct forward_scratch *scratch;
    struct arena memory;
};

/* For a family with a read-in map. for_backward: lay out what forward_backward() needs, and only
 * that. length is even. ERR_MEMORY. */
enum err_code forward_create(struct forward *f, const struct model_dims *dims, size_t B,
                             size_t length, bool for_backward, struct err *err);
void forward_destroy(struct forward *f); /* idempotent */
size_t forward_bytes(const struct model_dims *dims, size_t B, size_t length, bool for_backward);

/* tokens [B, length, inputs]; B and length at most as laid out (a curriculum begins with short
 * sequences), length even. Fills everything. Each array holds the T = B * length rows of this run
 * at its beginning, without gaps; what follows is stale. */
void forward_run(struct forward *f, const struct params *p, const float *tokens, size_t B,
                 size_t length);

/* [T, E] of the last run; l <= L; [T/2, E] where l = L and the pass is for backward. */
float *forward_x(const struct forward *f, size_t l);

/* Adds to gradient (same dims) the gradient of a loss whose derivative with respect to prediction
 * is dprediction [B, length / 2]; B and length as in the forward_run before it. */
void forward_backward(struct params *gradient, struct forward *f, const struct params *p,
                      const float *tokens, const float *dprediction);

#endif
