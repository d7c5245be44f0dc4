#include "model/block.h"

#include <assert.h>
#include <string.h>

#include "ops/activation.h"
#include "ops/layernorm.h"
#include "ops/linear.h"
#include "ops/vector_ops.h"

struct head_layout block_heads(const struct model_dims *d) {
    return head_layout_packed(d->H, model_key_heads(d), model_head_width(d));
}

void block_lay_out(struct forward_layer *s, struct arena *a, const struct model_dims *d, size_t T,
                   size_t att_floats, bool for_backward) {
    const size_t E = d->E;
    s->for_backward = for_backward;
    s->ln_1 = arena_floats(a, T * E);
    s->ln_1_mean = arena_floats(a, T);
    s->ln_1_rstd = arena_floats(a, T);
    s->qkv = arena_floats(a, T * 3 * E);
    s->att = arena_floats(a, att_floats);
    s->mid = arena_floats(a, T * E);
    s->ln_2 = arena_floats(a, T * E);
    s->ln_2_mean = arena_floats(a, T);
    s->ln_2_rstd = arena_floats(a, T);
    s->fc = arena_floats(a, T * 4 * E);
    s->gelu = arena_floats(a, T * 4 * E);
}

void block_qkv(const struct forward_layer *s, const float *x, const struct layer_params *w,
               const struct model_dims *d, size_t T) {
    const size_t E = d->E;
    layernorm_forward(s->ln_1, s->ln_1_mean, s->ln_1_rstd, x, w->ln_1_w, w->ln_1_b, d->epsilon, T,
                      E);
    linear_forward(s->qkv, s->ln_1, w->attn_w, w->attn_b, T, E, 3 * E, LINEAR_IN_OUT);
}

void block_project(const struct forward_layer *s, const struct layer_params *w,
                   const struct model_dims *d, size_t T) {
    linear_forward(s->a, s->z, w->proj_w, w->proj_b, T, d->E, d->E, LINEAR_IN_OUT);
}

/* s->mid -> all after it: the MLP and the second residual connection. */
static void feed_forward(float *out, const struct forward_layer *s, const struct layer_params *w,
                         const struct model_dims *d, size_t T) {
    const size_t E = d->E;
    layernorm_forward(s->ln_2, s->ln_2_mean, s->ln_2_rstd, s->mid, w->ln_2_w, w->ln_2_b, d->epsilon,
                      T, E);
    linear_forward(s->fc, s->ln_2, w->fc_w, w->fc_b, T, E, 4 * E, LINEAR_IN_OUT);
    if (s->for_backward)
        gelu_forward_derivative(s->gelu, s->fc, T * 4 * E);
    else
        gelu_forward(s->gelu, s->fc, T * 4 * E);
    linear_forward_onto(out, s->mid, s->gelu, w->mlp_w, w->mlp_b, T, 4 * E, E, LINEAR_IN_OUT);
}

void block_after_attention(float *out, const struct forward_layer *s, const float *x,
                           const struct layer_params *w, const struct model_dims *d, size_t T) {
    memcpy(s->mid, s->a, T * d->E * sizeof *x);
    vector_add(s->mid, x, T * d->E);
    feed_forward(out, s, w, d, T);
}

void block_finish(float *out, const struct forward_layer *s, const float *x,
                  const struct layer_params *w, const struct model_dims *d, size_t T) {
    if (s->a) {
        block_project(s, w, d, T);
        block_after_attention(out, s, x, w, d, T);
    } else { /* the same sums without a copy of a */
        linear_forward(s->mid, s->z, w->proj_w, w->proj_b, T, d->E, d->E, LINEAR_IN_OUT);
        vector_add(s->mid, x, T * d->E);
        feed_forward(out, s, w, d, T);
    }
}

void block_scratch_lay_out(struct block_scratch *b, struct arena *a, const struct model_dims *d,
                           size_t T) {
    b->wide = arena_floats(a, T * 4 * d->E);
    b->narrow = arena_floats(a, T * d->E);
    b->dz = arena_floats(a, T * d->E);
    b->dqkv = arena_floats(a, T * 3 * d->E);
}

void block_finish_backward(float *restrict d, const struct block_scratch *b,
                           const struct layer_params *g, const struct forward_layer *s,
                           const struct layer_params *w, const struct model_dims *dims, size_t T) {
    const size_t E = dims->E;
    float *dfc = b->wide, *dln = b->narrow;
    assert(s->for_backward);
    linear_backward(dfc, g->mlp_w, g->mlp_b, d, s->gelu, w->mlp_w, T, 4 * E, E, LINEAR_IN_OUT);
    gelu_backward(dfc, s->fc, T * 4 * E);
    linear_backward(dln, g->fc_w, g->fc_b, dfc, s->ln_2, w->fc_w, T, E, 4 * E, LINEAR_IN_OUT);
    layernorm_backward(d, g->ln_2_w, g->ln_2_b, dln, s->mid, s->ln_2_mean, s->ln_2_rstd, w->ln_2_w,
                       T, E);
    linear_backward(b->dz, g->proj_w, g->proj_b, d, s->z, w->proj_w, T, E, E, LINEAR_IN_OUT);
}

void block_qkv_backward(float *restrict d, const struct block_scratch *b,
                        const struct layer_params *g, const struct forward_layer *s, const float *x,
                        const struct layer_params *w, const struct model_dims *dims, size_t T) {
    const size_t E = dims->E;
    float *dln = b->narrow;
    linear_backward(dln, g->attn_w, g->attn_b, b->dqkv, s->ln_1, w->attn_w, T, E, 3 * E,
                    LINEAR_IN_OUT);
    layernorm_backward(d, g->ln_1_w, g->ln_1_b, dln, x, s->ln_1_mean, s->ln_1_rstd, w->ln_1_w, T,
                       E);
}
