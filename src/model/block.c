#include "model/block.h"

#include <assert.h>
#include <string.h>

#include "model/family.h"
#include "model/norm.h"
#include "ops/activation.h"
#include "ops/rmsnorm.h"
#include "ops/rotary.h"
#include "ops/vector_ops.h"

/* ---- what families do differently */

static bool is_gated(const struct model_dims *d) { return family_of(d)->layer->gate_w != NULL; }

static bool norms_heads(const struct model_dims *d) {
    return family_of(d)->layer->q_norm_w != NULL;
}

/* Attention and MLP read the same norm. */
static bool shares_norm(const struct model_dims *d) { return family_of(d)->layer->ln_2_w == NULL; }

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

struct head_layout block_heads(const struct model_dims *d, size_t l) {
    const size_t H = d->H, D = model_head_width(d);
    struct head_layout heads = family_of(d)->attention == ATTENTION_BY_HEAD
                                   ? head_layout_by_head(H, D)
                                   : head_layout_packed(H, model_key_heads(d), D);
    if (d->unscaled_attention) heads.scale = 1.0f;
    if (d->scaled_by_layer) heads.scale /= (float)(l + 1);
    return heads;
}

/* ---- storage */

void block_lay_out(struct forward_layer *s, struct arena *a, const struct model_dims *d, size_t T,
                   size_t att_floats, bool for_backward) {
    const size_t E = d->E, F = model_mlp_width(d), width = model_qkv_width(d);
    *s = (struct forward_layer){.for_backward = for_backward};
    s->ln_1 = arena_floats(a, T * E);
    s->ln_1_mean = arena_floats(a, T);
    s->ln_1_rstd = arena_floats(a, T);
    s->qkv = arena_floats(a, T * width);
    if (norms_heads(d)) {
        s->qk_raw = arena_floats(a, T * width);
        s->qk_rstd = arena_floats(a, T * (d->H + model_key_heads(d)));
    }
    s->att = arena_floats(a, att_floats);
    s->mid = arena_floats(a, T * E);
    if (!shares_norm(d)) {
        s->ln_2 = arena_floats(a, T * E);
        s->ln_2_mean = arena_floats(a, T);
        s->ln_2_rstd = arena_floats(a, T);
    }
    s->fc = arena_floats(a, T * F);
    /* In place where no gradient needs both: writing them again would evict them from the cache. */
    s->act = for_backward ? arena_floats(a, T * F) : s->fc;
    if (!is_gated(d)) return;
    s->up = arena_floats(a, T * F);
    s->gated = for_backward ? arena_floats(a, T * F) : s->up;
}

static void advance(float **x, size_t n) {
    if (*x) *x += n;
}

struct forward_layer block_rows(const struct forward_layer *s, const struct model_dims *d,
                                size_t row, size_t r) {
    const size_t E = d->E, F = model_mlp_width(d), width = model_qkv_width(d);
    struct forward_layer out = *s;
    advance(&out.ln_1, row * E), advance(&out.ln_1_mean, row), advance(&out.ln_1_rstd, row);
    advance(&out.qkv, row * width), advance(&out.qk_raw, row * width);
    advance(&out.qk_rstd, row * (d->H + model_key_heads(d)));
    advance(&out.z, r * model_heads_width(d)), advance(&out.a, r * E), advance(&out.mid, r * E);
    advance(&out.ln_2, r * E), advance(&out.ln_2_mean, r), advance(&out.ln_2_rstd, r);
    advance(&out.fc, r * F), advance(&out.act, r * F);
    advance(&out.up, r * F), advance(&out.gated, r * F);
    return out;
}

void block_scratch_lay_out(struct block_scratch *b, struct arena *a, const struct model_dims *d,
                           size_t T) {
    const size_t F = model_mlp_width(d), width = model_heads_width(d);
    *b = (struct block_scratch){0};
    b->wide = arena_floats(a, T * F);
    b->narrow = arena_floats(a, T * larger(d->E, width));
    b->dz = arena_floats(a, T * width);
    b->dqkv = arena_floats(a, T * model_qkv_width(d));
    if (is_gated(d)) b->wider = arena_floats(a, T * F);
    if (d->parallel) b->da = arena_floats(a, T * d->E);
    if (norms_heads(d)) b->dqk_raw = arena_floats(a, T * model_qkv_width(d));
}

/* ---- the maps of a block */

static struct weight_map map_of(struct weight W, const float *b, size_t I, size_t O,
                                const struct model_dims *d) {
    return (struct weight_map){.W = W, .b = b, .I = I, .O = O, .layout = family_of(d)->layout};
}

static struct weight_map projection(const struct layer_params *w, const struct model_dims *d) {
    return map_of(w->proj_w, w->proj_b, model_heads_width(d), d->E, d);
}

struct weight_map block_projection(const struct params *p, size_t l) {
    return projection(&p->layers[l], &p->dims);
}

static struct weight_map mlp_in(const struct layer_params *w, const struct model_dims *d) {
    return map_of(w->fc_w, w->fc_b, d->E, model_mlp_width(d), d);
}

static struct weight_map mlp_gate(const struct layer_params *w, const struct model_dims *d) {
    return map_of(w->gate_w, w->gate_b, d->E, model_mlp_width(d), d);
}

static struct weight_map mlp_out(const struct layer_params *w, const struct model_dims *d) {
    return map_of(w->mlp_w, w->mlp_b, model_mlp_width(d), d->E, d);
}

/* The map, or the three maps, that make the rows of qkv, or their gradients in a struct of
 * gradients. */
struct qkv_part {
    struct weight W;
    float *b;
    size_t at, O; /* the first number in a row of qkv; how many */
};

static size_t qkv_parts(struct qkv_part out[3], const struct layer_params *w,
                        const struct model_dims *d) {
    const size_t Q = model_heads_width(d), K = model_keys_width(d);
    if (family_of(d)->attention != ATTENTION_SEPARATE) {
        out[0] = (struct qkv_part){w->attn_w, w->attn_b, 0, Q + 2 * K};
        return 1;
    }
    out[0] = (struct qkv_part){w->q_w, w->q_b, 0, Q};
    out[1] = (struct qkv_part){w->k_w, w->k_b, Q, K};
    out[2] = (struct qkv_part){w->v_w, w->v_b, Q + K, K};
    return 3;
}

/* ---- q, k, v */

/* Norms of the heads of q and k: Henry et al., arXiv:2010.04245, as Qwen3 applies them. v is
 * copied. They need q, k and v side by side. */
static void norm_heads(const struct forward_layer *s, const struct layer_params *w,
                       const struct model_dims *d, size_t T) {
    const size_t H = d->H, KV = model_key_heads(d), D = model_head_width(d);
    const size_t width = model_qkv_width(d);
    for (size_t t = 0; t < T; t++) {
        const float *raw = s->qk_raw + t * width;
        float *qkv = s->qkv + t * width, *rstd = s->qk_rstd + t * (H + KV);
        rmsnorm_forward(qkv, rstd, raw, w->q_norm_w, d->epsilon, H, D);
        rmsnorm_forward(qkv + H * D, rstd + H, raw + H * D, w->k_norm_w, d->epsilon, KV, D);
        memcpy(qkv + (H + KV) * D, raw + (H + KV) * D, KV * D * sizeof *qkv);
    }
}

/* b->dqkv -> b->dqk_raw */
static void norm_heads_backward(const struct block_scratch *b, const struct layer_params *g,
                                const struct forward_layer *s, const struct layer_params *w,
                                const struct model_dims *d, size_t T) {
    const size_t H = d->H, KV = model_key_heads(d), D = model_head_width(d);
    const size_t width = model_qkv_width(d);
    for (size_t t = 0; t < T; t++) {
        const float *raw = s->qk_raw + t * width, *rstd = s->qk_rstd + t * (H + KV);
        const float *dqkv = b->dqkv + t * width;
        float *draw = b->dqk_raw + t * width;
        memset(draw, 0, (H + KV) * D * sizeof *draw);
        rmsnorm_backward(draw, g->q_norm_w, dqkv, raw, rstd, w->q_norm_w, H, D);
        rmsnorm_backward(draw + H * D, g->k_norm_w, dqkv + H * D, raw + H * D, rstd + H,
                         w->k_norm_w, KV, D);
        memcpy(draw + (H + KV) * D, dqkv + (H + KV) * D, KV * D * sizeof *draw);
    }
}

void block_qkv(const struct forward_layer *s, const float *x, const struct layer_params *w,
               const struct model_dims *d, size_t T) {
    struct qkv_part parts[3];
    float *out = norms_heads(d) ? s->qk_raw : s->qkv;
    norm_forward(s->ln_1, s->ln_1_mean, s->ln_1_rstd, x, w->ln_1_w, w->ln_1_b, d, T);
    const size_t n = qkv_parts(parts, w, d);
    for (size_t i = 0; i < n; i++) {
        const struct weight_map m = map_of(parts[i].W, parts[i].b, d->E, parts[i].O, d);
        weight_forward(out + parts[i].at, model_qkv_width(d), s->ln_1, &m, T);
    }
    if (norms_heads(d)) norm_heads(s, w, d, T);
}

void block_begin_after_qkv(const struct forward_layer *s, const float *x,
                           const struct layer_params *w, const struct model_dims *d, size_t T) {
    if (shares_norm(d))
        norm_forward(s->ln_1, s->ln_1_mean, s->ln_1_rstd, x, w->ln_1_w, w->ln_1_b, d, T);
}

size_t block_angles(const struct model_dims *d, size_t T) { return T * d->rotary.dims; }

void block_set_angles(float *angles, const struct model_dims *d, const uint32_t *position,
                      size_t T) {
    if (d->rotary.dims > 0) rotary_table(angles, &d->rotary, position, T);
}

typedef void rotation(float *x, const struct rotary_heads *heads, const float *table, size_t dims,
                      enum rotary_pairs pairs);

static void turn_heads(rotation *turn, float *qkv, const float *angles, const struct model_dims *d,
                       size_t T) {
    const struct head_layout l = block_heads(d, 0);
    const struct rotary_heads q = {T, l.H, l.row, l.q_step}, k = {T, l.KV, l.row, l.kv_step};
    if (d->rotary.dims == 0) return;
    turn(qkv, &q, angles, d->rotary.dims, family_of(d)->pairs);
    turn(qkv + l.k, &k, angles, d->rotary.dims, family_of(d)->pairs);
}

void block_turn(float *qkv, const float *angles, const struct model_dims *d, size_t T) {
    turn_heads(rotary_forward, qkv, angles, d, T);
}

void block_turn_backward(float *dqkv, const float *angles, const struct model_dims *d, size_t T) {
    turn_heads(rotary_backward, dqkv, angles, d, T);
}

/* ---- after attention */

void block_project(const struct forward_layer *s, const struct layer_params *w,
                   const struct model_dims *d, size_t T) {
    const struct weight_map m = projection(w, d);
    weight_forward(s->a, d->E, s->z, &m, T);
}

static void activate(const struct forward_layer *s, const struct model_dims *d, size_t n) {
    if (s->for_backward)
        activation_forward_derivative(d->activation, s->act, s->fc, n);
    else
        activation_forward(d->activation, s->act, s->fc, n);
}

/* norm [T,E] -> s->fc and all after it; returns the input of the last map. */
static const float *mlp_hidden(const struct forward_layer *s, const float *norm,
                               const struct layer_params *w, const struct model_dims *d, size_t T) {
    const size_t F = model_mlp_width(d);
    const struct weight_map in = mlp_in(w, d), gate = mlp_gate(w, d);
    if (!is_gated(d)) {
        weight_forward(s->fc, F, norm, &in, T);
        activate(s, d, T * F);
        return s->act;
    }
    weight_forward(s->fc, F, norm, &gate, T);
    weight_forward(s->up, F, norm, &in, T);
    if (!s->for_backward) {
        activation_gated_forward(d->activation, s->gated, s->fc, s->up, T * F);
        return s->gated;
    }
    activate(s, d, T * F);
    for (size_t i = 0; i < T * F; i++) s->gated[i] = s->act[i] * s->up[i];
    return s->gated;
}

/* The rows that the MLP's norm reads. */
static const float *mlp_source(const struct forward_layer *s, const float *x,
                               const struct model_dims *d) {
    return d->parallel ? x : s->mid;
}

/* s->mid and x -> all after it: the MLP and the second residual connection. */
static void feed_forward(float *out, const struct forward_layer *s, const float *x,
                         const struct layer_params *w, const struct model_dims *d, size_t T) {
    const struct weight_map m = mlp_out(w, d);
    const float *norm = shares_norm(d) ? s->ln_1 : s->ln_2;
    if (!shares_norm(d))
        norm_forward(s->ln_2, s->ln_2_mean, s->ln_2_rstd, mlp_source(s, x, d), w->ln_2_w, w->ln_2_b,
                     d, T);
    const float *hidden = mlp_hidden(s, norm, w, d, T);
    weight_forward_onto(out, s->mid, hidden, &m, T);
}

void block_after_attention(float *out, const struct forward_layer *s, const float *x,
                           const struct layer_params *w, const struct model_dims *d, size_t T) {
    for (size_t i = 0; i < T * d->E; i++) s->mid[i] = s->a[i] + x[i];
    feed_forward(out, s, x, w, d, T);
}

void block_finish(float *out, const struct forward_layer *s, const float *x,
                  const struct layer_params *w, const struct model_dims *d, size_t T) {
    if (s->a) {
        block_project(s, w, d, T);
        block_after_attention(out, s, x, w, d, T);
    } else { /* the same sums without a copy of a */
        const struct weight_map m = projection(w, d);
        weight_forward(s->mid, d->E, s->z, &m, T);
        vector_add(s->mid, x, T * d->E);
        feed_forward(out, s, x, w, d, T);
    }
}

/* ---- backward */

/* b->wide, the gradient of the input of the MLP's last map -> b->narrow, that of its norm. */
static void mlp_hidden_backward(const struct block_scratch *b, const struct layer_params *g,
                                const struct forward_layer *s, const float *norm,
                                const struct layer_params *w, const struct model_dims *d,
                                size_t T) {
    const size_t F = model_mlp_width(d);
    const struct weight_map in = mlp_in(w, d), gate = mlp_gate(w, d);
    float *dfc = b->wide;
    if (is_gated(d)) {
        for (size_t i = 0; i < T * F; i++) b->wider[i] = b->wide[i] * s->act[i];
        for (size_t i = 0; i < T * F; i++) b->wide[i] *= s->up[i];
        weight_backward(b->narrow, 0.0f, b->wider, F, &in, T);
        weight_gradient(g->fc_w.f32, g->fc_b, b->wider, F, norm, &in, T);
        gelu_backward(dfc, s->fc, T * F);
        weight_backward(b->narrow, 1.0f, dfc, F, &gate, T);
        weight_gradient(g->gate_w.f32, g->gate_b, dfc, F, norm, &gate, T);
        return;
    }
    gelu_backward(dfc, s->fc, T * F);
    weight_backward(b->narrow, 0.0f, dfc, F, &in, T);
    weight_gradient(g->fc_w.f32, g->fc_b, dfc, F, norm, &in, T);
}

/* The MLP, to what its norm reads: adds to d, which is the gradient of the block's output. */
static void feed_backward(float *restrict d, const struct block_scratch *b,
                          const struct layer_params *g, const struct forward_layer *s,
                          const float *x, const struct layer_params *w,
                          const struct model_dims *dims, size_t T) {
    const bool shared = shares_norm(dims);
    const struct weight_map out = mlp_out(w, dims);
    weight_backward(b->wide, 0.0f, d, dims->E, &out, T);
    if (b->mlp_less != 0) vector_scale(b->wide, 1.0f - b->mlp_less, T * model_mlp_width(dims));
    weight_gradient(g->mlp_w.f32, g->mlp_b, d, dims->E, is_gated(dims) ? s->gated : s->act, &out,
                    T);
    mlp_hidden_backward(b, g, s, shared ? s->ln_1 : s->ln_2, w, dims, T);
    if (shared)
        norm_backward(d, g->ln_1_w, g->ln_1_b, b->narrow, x, s->ln_1_mean, s->ln_1_rstd, w->ln_1_w,
                      dims, T);
    else
        norm_backward(d, g->ln_2_w, g->ln_2_b, b->narrow, mlp_source(s, x, dims), s->ln_2_mean,
                      s->ln_2_rstd, w->ln_2_w, dims, T);
}

void block_project_backward(const struct block_scratch *b, const float *da,
                            const struct layer_params *w, const struct model_dims *d, size_t T) {
    const struct weight_map m = projection(w, d);
    weight_backward(b->dz, 0.0f, da, d->E, &m, T);
}

const float *block_finish_backward(float *restrict d, const struct block_scratch *b,
                                   const struct layer_params *g, const struct forward_layer *s,
                                   const float *x, const struct layer_params *w,
                                   const struct model_dims *dims, size_t T) {
    const struct weight_map m = projection(w, dims);
    assert(s->for_backward);
    if (dims->parallel) memcpy(b->da, d, T * dims->E * sizeof *d);
    feed_backward(d, b, g, s, x, w, dims, T);
    const float *da = dims->parallel ? b->da : d;
    block_project_backward(b, da, w, dims, T);
    weight_gradient(g->proj_w.f32, g->proj_b, da, dims->E, s->z, &m, T);
    return da;
}

void block_qkv_backward(float *restrict d, const struct block_scratch *b,
                        const struct layer_params *g, const struct forward_layer *s, const float *x,
                        const struct layer_params *w, const struct model_dims *dims, size_t T) {
    struct qkv_part parts[3], gradients[3];
    const size_t n = qkv_parts(parts, w, dims), ld = model_qkv_width(dims);
    (void)qkv_parts(gradients, g, dims);
    if (norms_heads(dims)) norm_heads_backward(b, g, s, w, dims, T);
    const float *dqkv = norms_heads(dims) ? b->dqk_raw : b->dqkv;
    for (size_t i = 0; i < n; i++) {
        const struct weight_map m = map_of(parts[i].W, parts[i].b, dims->E, parts[i].O, dims);
        const float *dy = dqkv + parts[i].at;
        weight_backward(b->narrow, i == 0 ? 0.0f : 1.0f, dy, ld, &m, T);
        weight_gradient(gradients[i].W.f32, gradients[i].b, dy, ld, s->ln_1, &m, T);
    }
    norm_backward(d, g->ln_1_w, g->ln_1_b, b->narrow, x, s->ln_1_mean, s->ln_1_rstd, w->ln_1_w,
                  dims, T);
}
