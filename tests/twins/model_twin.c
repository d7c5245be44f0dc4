#include "twins/model_twin.h"
#include "model/family.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twins/embed_twin.h"
#include "twins/ops_twin.h"

static double *zeros(size_t n) {
    double *x = calloc(n + 1, sizeof *x);
    if (!x) {
        fprintf(stderr, "twins: out of memory for %zu numbers\n", n);
        exit(71);
    }
    return x;
}

static double *widened(const float *x, size_t n) {
    if (!x) return NULL;
    double *y = zeros(n);
    for (size_t i = 0; i < n; i++) y[i] = (double)x[i];
    return y;
}

static struct twin_layer widen_layer(const struct layer_params *w, const struct model_dims *d) {
    struct twin_layer out;
#define X(member, size, when) out.member = widened(w->member, size);
#define W(member, in, out_) out.member = widened(w->member.f32, (in) * (out_));
    PARAMS_LAYER(X, W)
#undef X
#undef W
    return out;
}

struct model_twin model_twin_create(const struct params *p) {
    const struct model_dims *d = &p->dims;
    struct model_twin t = {.dims = *d};
#define X(member, rows, columns, when)                                                             \
    t.member = widened(p->member, (rows) * ((columns) > 0 ? (columns) : 1));
#define W(member, rows, columns, when) t.member = widened(p->member.f32, (rows) * (columns));
    PARAMS_ONCE(X, W)
#undef X
#undef W
    t.layers = calloc(d->L, sizeof *t.layers);
    if (!t.layers) exit(71);
    for (size_t l = 0; l < d->L; l++) t.layers[l] = widen_layer(&p->layers[l], d);
    t.x = zeros((d->L + 1) * d->positions * d->E);
    t.z = zeros(d->L * d->positions * model_heads_width(d));
    t.a = zeros(d->L * d->positions * d->E);
    t.prediction = zeros(d->positions * unembed_twin_width(&t));
    return t;
}

void model_twin_destroy(struct model_twin *t) {
#define X(member, ...) free(t->member);
    PARAMS_ONCE(X, X)
#undef X
    for (size_t l = 0; l < t->dims.L; l++) {
#define X(member, ...) free(t->layers[l].member);
        PARAMS_LAYER(X, X)
#undef X
    }
    free(t->layers);
    free(t->x);
    free(t->z);
    free(t->a);
    free(t->prediction);
    *t = (struct model_twin){0};
}

/* Tensor i of those that are there, of n; else NULL, and *i is reduced by their number. */
static double *present(double *const *tensors, size_t n, size_t *i) {
    for (size_t k = 0; k < n; k++)
        if (tensors[k] && (*i)-- == 0) return tensors[k];
    return NULL;
}

double *model_twin_tensor(const struct model_twin *t, size_t i) {
    double *found = NULL;
    for (size_t l = 0; l < t->dims.L && !found; l++) {
#define X(member, ...) t->layers[l].member,
        double *const tensors[] = {PARAMS_LAYER(X, X)};
#undef X
        found = present(tensors, sizeof tensors / sizeof *tensors, &i);
    }
#define X(member, ...) t->member,
    double *const once[] = {PARAMS_ONCE(X, X)};
#undef X
    return found ? found : present(once, sizeof once / sizeof *once, &i);
}

static void patch(double *v, const struct model_twin *t, size_t l, char site, size_t length) {
    for (size_t i = 0; i < t->n_patches; i++) {
        const struct twin_patch *p = &t->patches[i];
        if (p->layer != l || p->site != site || p->token >= length) continue;
        const size_t width = site == 'z' ? model_heads_width(&t->dims) : t->dims.E;
        double *at = v + p->token * width + p->from;
        if (p->map) p->map(at, p->context);
        if (p->map) continue;
        for (size_t j = 0; j < p->n; j++) at[j] = p->keep * at[j] + p->scale * p->values[j];
    }
}

/* ---- what the families do differently */

static bool is_gpt2(const struct model_twin *t) {
    const struct family *f = t->dims.family;
    return !f || f == &family_gpt2_regression || f == &family_gpt2_regression_unlearned ||
           f == &family_gpt2;
}

/* Matrices of GPT-2 are [in, out], all others [out, in]. */
static void twin_map(double *y, const double *x, const double *W, const double *b, size_t T,
                     size_t I, size_t O, const struct model_twin *t) {
    twin_linear(y, x, W, b, T, I, O, !is_gpt2(t));
}

void model_twin_norm(double *y, const double *x, const double *gain, const double *bias, size_t T,
                     const struct model_twin *t) {
    const double epsilon = (double)t->dims.epsilon;
    if (bias)
        twin_layernorm(y, x, gain, bias, epsilon, T, t->dims.E);
    else
        twin_rmsnorm(y, x, gain, epsilon, T, t->dims.E);
}

/* Rows [q | k | v] of the numbers that NeoX has as [H, 3, D]. */
static void sort_heads(double *qkv, size_t T, size_t H, size_t D) {
    double *row = zeros(3 * H * D);
    for (size_t n = 0; n < T; n++, qkv += 3 * H * D) {
        memcpy(row, qkv, 3 * H * D * sizeof *row);
        for (size_t i = 0; i < 3; i++)
            for (size_t h = 0; h < H; h++)
                memcpy(qkv + (i * H + h) * D, row + (h * 3 + i) * D, D * sizeof *row);
    }
    free(row);
}

/* norm [T, E] -> qkv [T, q | k | v], without norms and positions. */
static void map_heads(double *qkv, const double *norm, const struct model_twin *t, size_t l,
                      size_t T) {
    const struct model_dims *d = &t->dims;
    const struct twin_layer *w = &t->layers[l];
    const size_t E = d->E, Q = model_heads_width(d), K = model_keys_width(d), row = Q + 2 * K;
    if (w->attn_w) {
        twin_map(qkv, norm, w->attn_w, w->attn_b, T, E, row, t);
        if (d->family == &family_neox) sort_heads(qkv, T, d->H, model_head_width(d));
        return;
    }
    for (size_t n = 0; n < T; n++) {
        twin_map(qkv + n * row, norm + n * E, w->q_w, w->q_b, 1, E, Q, t);
        twin_map(qkv + n * row + Q, norm + n * E, w->k_w, w->k_b, 1, E, K, t);
        twin_map(qkv + n * row + Q + K, norm + n * E, w->v_w, w->v_b, 1, E, K, t);
    }
}

/* Norms and positions of the heads of q and k. */
static void place_heads(double *qkv, const struct model_twin *t, size_t l, size_t T) {
    const struct model_dims *d = &t->dims;
    const struct twin_layer *w = &t->layers[l];
    const size_t KV = model_key_heads(d), D = model_head_width(d), row = model_qkv_width(d);
    for (size_t n = 0; n < T; n++)
        for (size_t h = 0; h < d->H + KV; h++) {
            double *x = qkv + n * row + h * D;
            if (w->q_norm_w)
                twin_rmsnorm(x, x, h < d->H ? w->q_norm_w : w->k_norm_w, (double)d->epsilon, 1, D);
            if (d->rotary.dims > 0)
                twin_rotary(x, (double)n, &d->rotary,
                            d->family == &family_gptj ? ROTARY_ADJACENT : ROTARY_HALVES);
        }
}

static struct head_layout twin_heads(const struct model_dims *d, size_t l) {
    struct head_layout heads = head_layout_packed(d->H, model_key_heads(d), model_head_width(d));
    if (d->unscaled_attention) heads.scale = 1;
    if (d->scaled_by_layer) heads.scale /= (float)(l + 1);
    return heads;
}

static void activate(double *x, const struct model_dims *d, size_t n) {
    if (d->activation == ACTIVATION_SILU)
        twin_silu(x, x, n);
    else if (d->activation == ACTIVATION_GELU_ERF)
        twin_gelu_erf(x, x, n);
    else
        twin_gelu(x, x, n);
}

/* out [T, E] += the MLP of norm [T, E] */
static void add_mlp(double *out, const double *norm, const struct model_twin *t, size_t l,
                    size_t T) {
    const struct twin_layer *w = &t->layers[l];
    const size_t E = t->dims.E, F = model_mlp_width(&t->dims);
    double *fc = zeros(T * F), *gate = zeros(T * F), *y = zeros(T * E);
    twin_map(fc, norm, w->fc_w, w->fc_b, T, E, F, t);
    if (w->gate_w) {
        twin_map(gate, norm, w->gate_w, w->gate_b, T, E, F, t);
        activate(gate, &t->dims, T * F);
        for (size_t i = 0; i < T * F; i++) fc[i] *= gate[i];
    } else {
        activate(fc, &t->dims, T * F);
    }
    twin_map(y, fc, w->mlp_w, w->mlp_b, T, F, E, t);
    patch(y, t, l, 'm', T);
    for (size_t i = 0; i < T * E; i++) out[i] += y[i];
    free(fc);
    free(gate);
    free(y);
}

/* The block of layer l: x [T,E] -> out [T,E]. */
static void run_block(double *out, const struct model_twin *t, size_t l, const double *x,
                      size_t T) {
    const struct model_dims *d = &t->dims;
    const struct twin_layer *w = &t->layers[l];
    const size_t E = d->E, Z = model_heads_width(d);
    const struct head_layout heads = twin_heads(d, l);
    double *z = t->z + l * d->positions * Z, *a = t->a + l * d->positions * E;
    double *norm = zeros(T * E), *qkv = zeros(T * heads.row);
    model_twin_norm(norm, x, w->ln_1_w, w->ln_1_b, T, t);
    map_heads(qkv, norm, t, l, T);
    place_heads(qkv, t, l, T);
    twin_attention(z, NULL, qkv, 1, T, &heads);
    patch(z, t, l, 'z', T);
    twin_map(a, z, w->proj_w, w->proj_b, T, Z, E, t);
    patch(a, t, l, 'a', T);
    for (size_t i = 0; i < T * E; i++) out[i] = x[i] + a[i];
    if (w->ln_2_w) model_twin_norm(norm, d->parallel ? x : out, w->ln_2_w, w->ln_2_b, T, t);
    add_mlp(out, norm, t, l, T);
    free(norm);
    free(qkv);
}

static double norm_of(const double *x, size_t n) {
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += x[i] * x[i];
    return sqrt(squares);
}

static void edit_token(double *x, const struct twin_edit *edit, bool steers, size_t E) {
    const double before = norm_of(x, E);
    for (size_t e = 0; e < E; e++) x[e] += edit->scale * edit->values[e];
    const double after = norm_of(x, E);
    for (size_t e = 0; steers && e < E; e++) x[e] *= before / after;
}

/* t->x [length, E] holds the embedded tokens. */
static void run_embedded(struct model_twin *t, size_t length, const struct twin_edit *edits,
                         size_t n_edits) {
    const size_t E = t->dims.E, layer = t->dims.positions * E;
    patch(t->x, t, 0, 'e', length);
    for (size_t l = 0; l < t->dims.L; l++) {
        double *out = t->x + (l + 1) * layer;
        run_block(out, t, l, t->x + l * layer, length);
        for (size_t i = 0; i < n_edits; i++)
            for (size_t n = edits[i].first; edits[i].layer == l && n < length; n++)
                edit_token(out + n * E, &edits[i], t->steers, E);
        patch(out, t, l, 'x', length);
    }
    unembed_twin(t->prediction, t, t->x + t->dims.L * layer, length);
}

void model_twin_run(struct model_twin *t, const double *tokens, size_t length,
                    const struct twin_edit *edits, size_t n_edits) {
    embed_twin_vectors(t->x, t, tokens, 0, length);
    run_embedded(t, length, edits, n_edits);
}

void model_twin_run_ids(struct model_twin *t, const uint32_t *ids, size_t length) {
    embed_twin_ids(t->x, t, ids, 0, length);
    run_embedded(t, length, NULL, 0);
}
