#include "model/params.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/family.h"
#include "model/model_products.h"

enum { ALIGN_FLOATS = ARENA_ALIGN / sizeof(float) };

/* A row of one of the two tables with its sizes worked out; name NULL: the model has no such
 * tensor.
 */
struct tensor_row {
    const char *name;
    size_t offset, rows, columns; /* offset: of the member in its struct */
    bool is_weight;
};

/* Row i of those with a name; i at least their number: name NULL. */
static struct tensor_row named_row(const struct tensor_row *table, size_t n, size_t i) {
    for (; n > 0; n--, table++)
        if (table->name && i-- == 0) return *table;
    return (struct tensor_row){0};
}

static struct tensor_row once_row(const struct model_dims *d, size_t i) {
    const struct family_names *names = &family_of(d)->names;
#define X(member, rows, columns, when)                                                             \
    {(when) ? names->member : NULL, offsetof(struct params, member), rows, columns, false},
#define W(member, rows, columns, when)                                                             \
    {(when) ? names->member : NULL, offsetof(struct params, member), rows, columns, true},
    const struct tensor_row table[] = {PARAMS_ONCE(X, W)};
#undef X
#undef W
    return named_row(table, sizeof table / sizeof *table, i);
}

static struct tensor_row layer_row(const struct model_dims *d, size_t i) {
    const struct family *f = family_of(d);
    const struct family_layer_names *names = f->layer;
    const bool in_out = f->layout == LINEAR_IN_OUT;
#define X(member, size, when)                                                                      \
    {f->biased || (when) ? names->member : NULL, offsetof(struct layer_params, member), size, 0,   \
     false},
#define W(member, in, out)                                                                         \
    {names->member, offsetof(struct layer_params, member), in_out ? (in) : (out),                  \
     in_out ? (out) : (in), true},
    const struct tensor_row table[] = {PARAMS_LAYER(X, W)};
#undef X
#undef W
    return named_row(table, sizeof table / sizeof *table, i);
}

static size_t count_rows(const struct model_dims *d,
                         struct tensor_row (*row)(const struct model_dims *d, size_t i)) {
    size_t n = 0;
    while (row(d, n).name) n++;
    return n;
}

static size_t per_layer(const struct model_dims *d) { return count_rows(d, layer_row); }

static struct tensor_row row_at(const struct model_dims *d, size_t i) {
    const size_t n = per_layer(d), in_layers = d->L * n;
    assert(i < params_tensors(d));
    return i < in_layers ? layer_row(d, i % n) : once_row(d, i - in_layers);
}

static size_t row_size(const struct tensor_row *r) {
    return r->rows * (r->columns > 0 ? r->columns : 1);
}

/* The member that points to tensor i; of a weight, its first member. */
static float **member_at(const struct params *p, size_t i, size_t offset) {
    const size_t n = per_layer(&p->dims);
    const void *base = i < p->dims.L * n ? (const void *)(p->layers + i / n) : (const void *)p;
    return (float **)((uintptr_t)base + offset);
}

size_t params_tensors(const struct model_dims *d) {
    return d->L * per_layer(d) + count_rows(d, once_row);
}

size_t params_weights(const struct model_dims *d) {
    size_t sum = 0;
    for (size_t i = 0; i < params_tensors(d); i++) {
        const struct tensor_row r = row_at(d, i);
        sum += row_size(&r);
    }
    return sum;
}

static size_t padded(size_t n) { return (n + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS; }

size_t params_count(const struct model_dims *d) {
    size_t sum = 0;
    for (size_t i = 0; i < params_tensors(d); i++) {
        const struct tensor_row r = row_at(d, i);
        sum += padded(row_size(&r));
    }
    return sum;
}

void params_at(struct param_info *out, const struct params *p, size_t i) {
    const struct tensor_row r = row_at(&p->dims, i);
    *out = (struct param_info){
        .rank = r.columns > 0 ? 2 : 1, .shape = {r.rows, r.columns}, .is_weight = r.is_weight};
    out->data = *member_at(p, i, r.offset);
    const size_t n = per_layer(&p->dims);
    if (i < p->dims.L * n)
        family_layer_name(out->name, family_of(&p->dims), i / n, r.name);
    else
        snprintf(out->name, sizeof out->name, "%s", r.name);
}

void params_place(struct params *p, size_t i, float *data) {
    *member_at(p, i, row_at(&p->dims, i).offset) = data;
}

enum err_code params_place_narrow(struct params *p, size_t i, const void *data,
                                  enum weight_type type, struct err *err) {
    const struct tensor_row r = row_at(&p->dims, i);
    assert(r.is_weight && type != WEIGHT_F32);
    if (!p->tile) p->tile = malloc(WEIGHT_TILE * sizeof *p->tile);
    if (!p->tile) return ERR(err, ERR_MEMORY, "no memory for a tile of %d weights", WEIGHT_TILE);
    const struct weight W = {.narrow = data, .tile = p->tile, .type = type};
    memcpy(member_at(p, i, r.offset), &W, sizeof W);
    return ERR_OK;
}

enum err_code params_borrow(struct params *p, const struct model_dims *d, struct err *err) {
    assert(d->L > 0 && d->H > 0 && (d->D > 0 || d->E % d->H == 0));
    assert(d->E > 0 && d->positions > 0 && d->H % model_key_heads(d) == 0);
    assert(family_of(d)->layer->ln_2_w || d->parallel); /* one norm for attention and MLP */
    assert(family_of(d)->embedding == EMBEDDING_READ_IN ? d->inputs > 0 : d->vocabulary > 0);
    struct layer_params *layers = calloc(d->L, sizeof *layers);
    if (!layers) return ERR(err, ERR_MEMORY, "cannot allocate the table of %zu layers", d->L);
    *p = (struct params){.dims = *d, .layers = layers};
    return ERR_OK;
}

enum err_code params_create(struct params *p, const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    struct params made = {0};
    TRY(params_borrow(&made, d, err));
    arena_floats(&made.memory, params_count(d));
    TRY(arena_commit(&made.memory, err));
    made.block = arena_floats(&made.memory, params_count(d));
    float *here = made.block;
    for (size_t i = 0; i < params_tensors(d); i++) {
        const struct tensor_row r = row_at(d, i);
        params_place(&made, i, here);
        here += padded(row_size(&r));
    }
    *p = made;
    made = (struct params){0};
cleanup:
    params_destroy(&made);
    return rc;
}

void params_destroy(struct params *p) {
    model_products_release(p);
    arena_release(&p->memory);
    free(p->layers);
    free(p->tile);
    *p = (struct params){0};
}

/* ---- initialisation */

static void init_normal(const struct param_info *t, const struct rng *r, float deviation) {
    for (size_t row = 0; row < t->shape[0]; row++) {
        float *x = t->data + row * t->shape[1];
        rng_normals(x, t->shape[1], r, 0, row);
        for (size_t j = 0; j < t->shape[1]; j++) x[j] *= deviation;
    }
}

static void init_uniform(const struct param_info *t, const struct rng *r, size_t fan_in) {
    const size_t columns = t->rank == 2 ? t->shape[1] : 1;
    const double bound = 1.0 / sqrt((double)fan_in);
    for (size_t i = 0; i < t->shape[0] * columns; i++) {
        double u;
        rng_uniforms(&u, 1, r, i / columns, i % columns);
        t->data[i] = (float)(bound * (2.0 * u - 1.0));
    }
}

static void init_constant(const struct param_info *t, float value) {
    for (size_t i = 0; i < t->shape[0]; i++) t->data[i] = value;
}

/* Gains of norms are "...ln_1.weight", "...layernorm.weight", "...norm.weight". */
static bool is_gain(const char *name) {
    return (strstr(name, ".ln_") || strstr(name, "norm.")) && text_ends_with(name, "weight");
}

/* The matrices that write to the residual stream. */
static bool is_projection(const struct params *p, size_t i) {
    const size_t n = per_layer(&p->dims);
    if (i >= p->dims.L * n) return false;
    const size_t offset = layer_row(&p->dims, i % n).offset;
    return offset == offsetof(struct layer_params, proj_w) ||
           offset == offsetof(struct layer_params, mlp_w);
}

void params_init(struct params *p, uint64_t seed) {
    const float narrow = 0.02f / sqrtf(2.0f * (float)p->dims.L);
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        struct param_info t;
        char stream[sizeof t.name + 8];
        params_at(&t, p, i);
        snprintf(stream, sizeof stream, "init/%s", t.name);
        const struct rng r = rng_stream(seed, stream);
        if (strncmp(t.name, "_read_in.", 9) == 0)
            init_uniform(&t, &r, p->dims.inputs);
        else if (strncmp(t.name, "_read_out.", 10) == 0)
            init_uniform(&t, &r, p->dims.E);
        else if (t.rank == 1)
            init_constant(&t, is_gain(t.name) ? 1.0f : 0.0f);
        else
            init_normal(&t, &r, is_projection(p, i) ? narrow : 0.02f);
    }
}
