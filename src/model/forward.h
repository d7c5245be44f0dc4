/*
 * forward.h - forward and backward pass of the whole model over whole sequences.
 *
 * Pretraining and verification use it; fits and evaluations use query.h.  Block l computes mid =
 * x[l] + proj(attention(ln_1(x[l]))), then x[l + 1] = mid + mlp(ln_2(mid)), or, with a parallel
 * residual, mid + mlp(ln_2(x[l])).  A regression prompt alternates x and y tokens, so a sequence
 * has an even length, and predictions are read at its x tokens, the even positions.
 *
 * A pass over real vectors that is laid out for the backward pass omits what no loss depends on: in
 * the last block, z and everything after it exist at x tokens only, [T/2, ...] without gaps, and
 * `a` is not stored.  (Not with a parallel residual, whose MLP reads all tokens.)
 */
#ifndef MODEL_FORWARD_H
#define MODEL_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/params.h"
#include "model/unembed.h"

struct forward_layer {                   /* T = tokens of all sequences together: B * length */
    float *ln_1, *ln_1_mean, *ln_1_rstd; /* [T, E], [T], [T] */
    float *qkv;                          /* [T, qkv width] q, k, v as they attend */
    float *qk_raw, *qk_rstd; /* [T, qkv width] before the norms of q and k, [T, H + KV]; NULL: the
                                family has no such norms */
    float *att;              /* [B, H] triangles as in ops/attention.h */
    float *z;                /* [T, H D] concatenated head outputs: input of the projection */
    float *a;                /* [T, E] output of the projection, bias included; or NULL */
    float *mid;              /* [T, E] residual after attention */
    float *ln_2, *ln_2_mean, *ln_2_rstd; /* [T, E]; NULL where ln_1 serves attention and MLP */
    float *fc, *act;   /* [T, F] before and after the activation; of a gated MLP the gate */
    float *up, *gated; /* [T, F] of a gated MLP: the other half, and its product with act */
    bool for_backward; /* then fc is overwritten by the derivative of the activation */
};

/* Sequences of token ids, one after the other without gaps. */
struct forward_ids {
    size_t B;
    const uint32_t *length; /* [B] */
    const uint32_t *ids;    /* [T], T the sum of the lengths */
};

struct forward {
    struct model_dims dims;
    size_t B, length, T; /* sequences, tokens of the longest and of all, as laid out */
    size_t B_run, T_run; /* those of the last run */
    float *x; /* [L + 1, T, E] residual stream: x[0] embedding, x[l + 1] after block l; read it by
                 forward_x(), as layers lie T rows apart even after a smaller run */
    struct unembed last;          /* last.norm [T / 2, E] after ln_f, of x tokens only */
    float *prediction;            /* [B, length / 2] at the x tokens (even positions) */
    struct forward_layer *layers; /* [L] */
    struct forward_scratch *scratch;
    struct arena memory;
};

/* For up to B sequences of up to `length` tokens. For a family with a read-in map: length is even.
 * for_backward: lay out what the backward pass needs, and only that. ERR_MEMORY. */
enum err_code forward_create(struct forward *f, const struct model_dims *dims, size_t B,
                             size_t length, bool for_backward, struct err *err);
/* The same, for T tokens in all. */
enum err_code forward_create_tokens(struct forward *f, const struct model_dims *dims, size_t B,
                                    size_t length, size_t T, bool for_backward, struct err *err);
void forward_destroy(struct forward *f); /* idempotent */
size_t forward_bytes(const struct model_dims *dims, size_t B, size_t length, bool for_backward);

/* For a family with a read-in map: tokens [B, length, inputs]; B and length at most as laid out (a
 * curriculum begins with short sequences), length even. Fills everything. Each array holds the T =
 * B * length rows of this run at its beginning, without gaps; what follows is stale. */
void forward_run(struct forward *f, const struct params *p, const float *tokens, size_t B,
                 size_t length);

/* For a family of token ids: fills all but `last` and `prediction`. The caller takes the rows of
 * x[L] whose answers it needs to unembed.h. A sequence has the results of a run of its own, but for
 * rounding. */
void forward_run_ids(struct forward *f, const struct params *p, const struct forward_ids *ids);

/* [T, E] of the last run; l <= L; [T/2, E] where l = L and the last block ends at x tokens. */
float *forward_x(const struct forward *f, size_t l);

/* Adds to gradient (same dims) the gradient of a loss whose derivative with respect to prediction
 * is dprediction [B, length / 2]; B and length as in the forward_run before it. */
void forward_backward(struct params *gradient, struct forward *f, const struct params *p,
                      const float *tokens, const float *dprediction);

/* The same after forward_run_ids() of the same ids, from dx [T, E], the gradient of x[L]. That of
 * the output matrix is unembed.h's; here the embedding's is added. */
void forward_backward_ids(struct params *gradient, struct forward *f, const struct params *p,
                          const struct forward_ids *ids, const float *dx);

#endif
