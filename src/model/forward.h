/*
 * forward.h - the whole transformer over whole sequences, with every activation kept, and back.
 *
 * Pretraining and verification use it; fits and evaluations use query.h.  GPT-2, pre-norm: block l
 * reads x[l], x_mid = x + c_proj(attention(ln_1(x))), x[l+1] = x_mid + mlp(ln_2(x_mid)).
 * Sequences have an even length; a prediction is read at x tokens only, the even ones.
 *
 * A pass that is laid out for the backward pass leaves out what no loss depends on: in the last
 * block z and all after it exist at x tokens only, [T/2, ...] without gaps, and no `a` is kept.
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
    bool for_backward; /* then fc holds the activation's slope instead, once gelu is there */
};

struct forward {
    struct model_dims dims;
    size_t B, length;         /* sequences and tokens of each, as laid out */
    size_t B_run, length_run; /* those of the last forward_run() */
    float *x; /* [L + 1, T, E] residual stream: x[0] embedding, x[l + 1] after block l; by
                 forward_x(), as layers lie B * length rows apart whatever was run */
    struct unembed last;          /* last.norm [B * length / 2, E] after ln_f, of x tokens only */
    float *prediction;            /* [B, length / 2] at the x tokens (even positions) */
    struct forward_layer *layers; /* [L] */
    /* scratch of the backward pass follows, in forward.c's layout */
    struct forward_scratch *scratch;
    struct arena memory;
};

/* For a family with a read-in map. for_backward: lay out what forward_backward() needs, and only
 * that. length is even. */
enum err_code forward_create(struct forward *f, const struct model_dims *dims, size_t B,
                             size_t length, bool for_backward, struct err *err);
void forward_destroy(struct forward *f);
size_t forward_bytes(const struct model_dims *dims, size_t B, size_t length, bool for_backward);

/* tokens [B, length, inputs], B and length at most as laid out (curriculum), length even. Fills
 * everything; last and prediction exist at x tokens only. Each array holds its T = B * length rows
 * of this run at its beginning, without gaps; what follows is stale. */
void forward_run(struct forward *f, const struct params *p, const float *tokens, size_t B,
                 size_t length);

/* [T, E] of the last run; l <= L; [T/2, E] where l = L and the pass is for backward. */
float *forward_x(const struct forward *f, size_t l);

/* Adds to gradient (same dims) the gradient of a loss whose derivative with respect to prediction
 * is dprediction [B, length / 2]; B and length as in the forward_run before it. */
void forward_backward(struct params *gradient, struct forward *f, const struct params *p,
                      const float *tokens, const float *dprediction);

#endif
