#include "twins/model_twin.h"

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

static double *widened(const float *x, size_t rows, size_t columns) {
    const size_t n = rows * (columns > 0 ? columns : 1);
    double *y = zeros(n);
    for (size_t i = 0; i < n; i++) y[i] = (double)x[i];
    return y;
}

struct model_twin model_twin_create(const struct params *p) {
    const struct model_dims *d = &p->dims;
    struct model_twin t = {.dims = *d};
#define X(member, rows, columns) t.member = p->member ? widened(p->member, rows, columns) : NULL;
    PARAMS_ONCE(X)
#undef X
    t.layers = calloc(d->L, sizeof *t.layers);
    if (!t.layers) exit(71);
    for (size_t l = 0; l < d->L; l++) {
        const struct layer_params *w = &p->layers[l];
#define X(member, rows, columns) t.layers[l].member = widened(w->member, rows, columns);
        PARAMS_LAYER(X)
#undef X
    }
    t.x = zeros((d->L + 1) * d->positions * d->E);
    t.z = zeros(d->L * d->positions * d->E);
    t.a = zeros(d->L * d->positions * d->E);
    t.prediction = zeros(d->positions * unembed_twin_width(&t));
    return t;
}

void model_twin_destroy(struct model_twin *t) {
#define X(member, rows, columns) free(t->member);
    PARAMS_ONCE(X)
#undef X
    for (size_t l = 0; l < t->dims.L; l++) {
#define X(member, rows, columns) free(t->layers[l].member);
        PARAMS_LAYER(X)
#undef X
    }
    free(t->layers);
    free(t->x);
    free(t->z);
    free(t->a);
    free(t->prediction);
    *t = (struct model_twin){0};
}

double *model_twin_tensor(const struct model_twin *t, size_t i) {
#define X(member, rows, columns) offsetof(struct twin_layer, member),
    const size_t offsets[] = {PARAMS_LAYER(X)};
#undef X
#define X(member, rows, columns) t->member,
    double *const once[] = {PARAMS_ONCE(X)};
#undef X
    const size_t per_layer = sizeof offsets / sizeof *offsets;
    if (i < t->dims.L * per_layer) {
        double *tensor;
        const char *layer = (const char *)&t->layers[i / per_layer];
        memcpy(&tensor, layer + offsets[i % per_layer], sizeof tensor);
        return tensor;
    }
    i -= t->dims.L * per_layer;
    size_t k = 0;
    while (!once[k] || i-- > 0) k++; /* those that the family has */
    return once[k];
}

static void patch(double *v, const struct model_twin *t, size_t l, char site, size_t length) {
    for (size_t i = 0; i < t->n_patches; i++) {
        const struct twin_patch *p = &t->patches[i];
        if (p->layer != l || p->site != site || p->token >= length) continue;
        double *at = v + p->token * t->dims.E + p->from;
        if (p->map) p->map(at, p->context);
        if (p->map) continue;
        for (size_t j = 0; j < p->n; j++) at[j] = p->keep * at[j] + p->scale * p->values[j];
    }
}

/* The block of layer l: x [T,E] -> out [T,E]. */
static void run_block(double *out, const struct model_twin *t, size_t l, const double *x,
                      size_t T) {
    const size_t E = t->dims.E, H = t->dims.H;
    const struct twin_layer *w = &t->layers[l];
    const double epsilon = (double)t->dims.epsilon;
    double *z = t->z + l * t->dims.positions * E, *a = t->a + l * t->dims.positions * E;
    double *norm = zeros(T * E), *qkv = zeros(T * 3 * E), *fc = zeros(T * 4 * E);
    double *mid = zeros(T * E);
    twin_layernorm(norm, x, w->ln_1_w, w->ln_1_b, epsilon, T, E);
    twin_linear(qkv, norm, w->attn_w, w->attn_b, T, E, 3 * E, 0);
    const struct head_layout heads = head_layout_packed(H, H, E / H);
    twin_attention(z, NULL, qkv, 1, T, &heads);
    patch(z, t, l, 'z', T);
    twin_linear(a, z, w->proj_w, w->proj_b, T, E, E, 0);
    patch(a, t, l, 'a', T);
    for (size_t i = 0; i < T * E; i++) mid[i] = x[i] + a[i];
    twin_layernorm(norm, mid, w->ln_2_w, w->ln_2_b, epsilon, T, E);
    twin_linear(fc, norm, w->fc_w, w->fc_b, T, E, 4 * E, 0);
    twin_gelu(fc, fc, T * 4 * E);
    twin_linear(out, fc, w->mlp_w, w->mlp_b, T, 4 * E, E, 0);
    for (size_t i = 0; i < T * E; i++) out[i] += mid[i];
    free(norm);
    free(qkv);
    free(fc);
    free(mid);
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
