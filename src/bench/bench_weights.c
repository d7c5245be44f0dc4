#include "bench/bench_weights.h"

#include <stdlib.h>
#include <string.h>

#include "model/hf/hf_weights.h"
#include "ops/half_lanes.h"

const char *bench_weights_type(enum weight_type type) {
    static const char *const NAMES[] = {
        [WEIGHT_F32] = "F32", [WEIGHT_F16] = "F16", [WEIGHT_BF16] = "BF16"};
    return NAMES[type];
}

/* ---- random weights */

static size_t numbers_of(const struct param_info *t) {
    return t->shape[0] * (t->rank > 1 ? t->shape[1] : 1);
}

/* Uniform with the standard deviation .02 of GPT-2. */
static void fill_floats(float *x, size_t n) {
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525U + 1013904223U; /* Numerical Recipes, section 7.1 */
        x[i] = ((float)(state >> 8) * 0x1p-23F - 1.0F) * 0.0346F;
    }
}

static void fill_halves(uint16_t *x, size_t n, enum weight_type type) {
    enum { CHUNK = 1024 };
    float floats[CHUNK];
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        if (i % CHUNK == 0) fill_floats(floats, CHUNK);
        memcpy(&bits, &floats[i % CHUNK], sizeof bits);
        x[i] =
            type == WEIGHT_BF16 ? (uint16_t)(bits >> 16) : half_lanes_narrow_one(floats[i % CHUNK]);
    }
}

static bool is_gain(const struct param_info *t) {
    return t->rank == 1 && strstr(t->name, "weight") != NULL;
}

/* Vectors: gains of norms 1, biases 0. */
static void fill_vector(float *x, const struct param_info *t) {
    for (size_t i = 0; i < numbers_of(t); i++) x[i] = is_gain(t) ? 1.0F : 0.0F;
}

/* Floats of all tensors, or those that are not in halves; lays them out once the arena has memory.
 */
static void place_floats(struct bench_weights *w, bool matrices) {
    struct param_info t;
    for (size_t i = 0; i < params_tensors(&w->params.dims); i++) {
        params_at(&t, &w->params, i);
        if (t.is_weight && !matrices) continue;
        float *x = arena_floats(&w->floats, numbers_of(&t));
        if (!x) continue;
        params_place(&w->params, i, x);
        if (t.rank > 1)
            fill_floats(x, numbers_of(&t));
        else
            fill_vector(x, &t);
    }
}

static enum err_code place_halves(struct bench_weights *w, enum weight_type type, struct err *err) {
    enum err_code rc = ERR_OK;
    struct param_info t;
    size_t all = 0;
    const size_t tensors = params_tensors(&w->params.dims);
    for (size_t i = 0; i < tensors; i++) {
        params_at(&t, &w->params, i);
        if (t.is_weight) all += numbers_of(&t);
    }
    w->narrow = malloc(all * sizeof *w->narrow);
    CHECK(w->narrow, ERR_MEMORY, "no memory for %zu numbers of 16 bits", all);
    uint16_t *x = w->narrow;
    for (size_t i = 0; i < tensors; i++) {
        params_at(&t, &w->params, i);
        if (!t.is_weight) continue;
        fill_halves(x, numbers_of(&t), type);
        TRY(params_place_narrow(&w->params, i, x, type, err));
        x += numbers_of(&t);
    }
cleanup:
    return rc;
}

static enum err_code create_random(struct bench_weights *w, const struct bench_size *z,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const bool narrow = z->type != WEIGHT_F32;
    TRY(params_borrow(&w->params, &z->dims, err));
    place_floats(w, !narrow);
    TRY(arena_commit(&w->floats, err));
    place_floats(w, !narrow);
    if (narrow) TRY(place_halves(w, z->type, err));
cleanup:
    return rc;
}

/* ---- either */

static size_t number_bytes(const struct weight *W) { return W->type == WEIGHT_F32 ? 4 : 2; }

static void count_bytes(struct bench_weights *w) {
    const struct model_dims *d = &w->params.dims;
    for (size_t l = 0; l < d->L; l++) {
#define X(member, size, when)
#define W(member, in, out)                                                                         \
    if (w->params.layers[l].member.f32 || w->params.layers[l].member.narrow)                       \
        w->bytes += (double)((in) * (out)*number_bytes(&w->params.layers[l].member));
        PARAMS_LAYER(X, W)
#undef X
#undef W
    }
    const struct weight *output = d->tied ? &w->params.wte : &w->params.head_w;
    w->output_bytes = (double)(d->vocabulary * d->E * number_bytes(output));
}

enum err_code bench_weights_init(struct bench_weights *w, const struct bench_size *size,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    if (size->folder) {
        TRY(hf_model_open(&w->folder, size->folder, err));
        TRY(hf_weights_place(&w->params, &w->folder, err));
    } else {
        TRY(create_random(w, size, err));
    }
    count_bytes(w);
    TRY(model_products_use(&w->params, &size->products, false, err));
cleanup:
    if (rc != ERR_OK) bench_weights_release(w);
    return rc;
}

void bench_weights_release(struct bench_weights *w) {
    params_destroy(&w->params);
    hf_model_close(&w->folder);
    arena_release(&w->floats);
    free(w->narrow);
    *w = (struct bench_weights){0};
}
