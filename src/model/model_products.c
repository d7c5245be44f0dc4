#include "model/model_products.h"

#include <assert.h>

#include "model/family.h"
#include "model/unembed.h"
#include "model/vocabulary.h"
#include "ops/weight_pack.h"

_Static_assert((int)VOCABULARY_TILE == (int)WEIGHT_PACK_TILE,
               "tiles of logits are tiles of a pack");

/* A matrix of the model, and what its pack is made for. */
struct model_matrix {
    struct weight *W;
    struct weight_map map;
    struct weight_pack_request request;
};

enum { LAYER_MATRICES = 8 };

static bool is_stored(const struct weight *W) { return W->f32 || W->narrow; }

/* Queries, keys and values of three matrices are written side by side. */
static size_t row_of_results(const struct layer_params *w, const struct weight *W, size_t O,
                             const struct model_dims *d) {
    return W == &w->q_w || W == &w->k_w || W == &w->v_w ? model_qkv_width(d) : O;
}

/* Those that layer l has; returns how many. */
static size_t layer_matrices(struct model_matrix out[LAYER_MATRICES], struct params *p, size_t l) {
    const struct model_dims *d = &p->dims;
    struct layer_params *w = &p->layers[l];
    const struct {
        struct weight *W;
        size_t I, O;
    } all[] = {
#define X(member, size, when)
#define W(member, in, out) {&w->member, in, out},
        PARAMS_LAYER(X, W)
#undef X
#undef W
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!is_stored(all[i].W)) continue;
        assert(n < LAYER_MATRICES);
        out[n++] = (struct model_matrix){
            .W = all[i].W,
            .map = {.W = *all[i].W, .I = all[i].I, .O = all[i].O, .layout = family_of(d)->layout},
            .request.ldy = row_of_results(w, all[i].W, all[i].O, d)};
    }
    return n;
}

/* The matrix of the vocabulary, if the model has one. */
static bool output_matrix_of(struct model_matrix *out, struct params *p) {
    if (family_of(&p->dims)->output != OUTPUT_VOCABULARY) return false;
    *out = (struct model_matrix){
        .W = p->dims.tied ? &p->wte : &p->head_w, .map = unembed_map(p), .request.tiled = true};
    return true;
}

typedef enum err_code matrix_visitor(struct params *p, const struct model_matrix *m, bool trains,
                                     struct err *err);

static enum err_code visit_matrices(struct params *p, matrix_visitor *visit, bool trains,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct model_matrix matrices[LAYER_MATRICES];
    for (size_t l = 0; l < p->dims.L; l++) {
        const size_t n = layer_matrices(matrices, p, l);
        for (size_t i = 0; i < n; i++) TRY(visit(p, &matrices[i], trains, err));
    }
    if (output_matrix_of(matrices, p)) TRY(visit(p, matrices, trains, err));
cleanup:
    return rc;
}

/* ---- what is done with each */

static enum err_code pack_matrix(struct params *p, const struct model_matrix *m, bool trains,
                                 struct err *err) {
    struct weight_pack_request request = m->request;
    struct weight_pack *pack = NULL;
    request.trains = trains;
    const enum err_code rc = weight_pack_create(&pack, p->products, &m->map, &request, err);
    m->W->pack = pack;
    return rc;
}

static enum err_code select_library(struct params *p, const struct model_matrix *m, bool trains,
                                    struct err *err) {
    (void)trains, (void)err;
    m->W->library = p->products->library;
    return ERR_OK;
}

static enum err_code refresh_matrix(struct params *p, const struct model_matrix *m, bool trains,
                                    struct err *err) {
    (void)p, (void)trains;
    return weight_pack_fill(m->W->pack, &m->map, err);
}

static enum err_code release_matrix(struct params *p, const struct model_matrix *m, bool trains,
                                    struct err *err) {
    (void)p, (void)trains, (void)err;
    weight_pack_destroy(m->W->pack, &m->map);
    m->W->pack = NULL;
    m->W->library = NULL;
    return ERR_OK;
}

/* ---- the model */

enum err_code model_products_use(struct params *p, const struct model_arithmetic *a, bool trains,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const bool floats = a->arithmetic == ARITHMETIC_F32;
    if (floats && !a->onednn) return ERR_OK;
    TRY(products_open(&p->products, a->arithmetic, err));
    TRY(visit_matrices(p, floats ? select_library : pack_matrix, trains, err));
cleanup:
    if (rc != ERR_OK) model_products_release(p);
    return rc;
}

enum err_code model_products_refresh(struct params *p, struct err *err) {
    if (!p->products || p->products->arithmetic == ARITHMETIC_F32) return ERR_OK;
    return visit_matrices(p, refresh_matrix, false, err);
}

void model_products_release(struct params *p) {
    struct err none = {0};
    if (!p->products) return;
    (void)visit_matrices(p, release_matrix, false, &none);
    products_close(p->products);
    p->products = NULL;
}

size_t model_products_bytes(const struct model_dims *d, enum arithmetic a) {
    const size_t E = d->E, F = model_mlp_width(d), Z = model_heads_width(d);
    const size_t gated = family_of(d)->layer->gate_w ? 3 : 2;
    if (a == ARITHMETIC_F32) return 0;
    const size_t layer = weight_pack_bytes(a, E, model_qkv_width(d)) + weight_pack_bytes(a, Z, E) +
                         gated * weight_pack_bytes(a, E, F);
    const size_t output = family_of(d)->output == OUTPUT_VOCABULARY ? d->vocabulary : 0;
    return d->L * layer + weight_pack_bytes(a, E, output);
}

bool model_products_rows_alone(const struct params *p) {
    return p->products && p->products->arithmetic != ARITHMETIC_F32;
}
