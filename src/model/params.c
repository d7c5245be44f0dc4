#include "model/params.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(member, name, rows, columns) +1
enum { ONCE = 0 PARAMS_ONCE(X), PER_LAYER = 0 PARAMS_LAYER(X) };
#undef X

enum { ALIGN_FLOATS = ARENA_ALIGN / sizeof(float) };

struct row { /* of one of the two tables, with its sizes worked out */
    const char *name;
    size_t offset, rows, columns; /* offset: of the member in its struct */
};

static struct row once_row(const struct model_dims *d, size_t i) {
#define X(member, name, rows, columns) {name, offsetof(struct params, member), rows, columns},
    const struct row table[] = {PARAMS_ONCE(X)};
#undef X
    return table[i];
}

static struct row layer_row(const struct model_dims *d, size_t i) {
#define X(member, name, rows, columns) {name, offsetof(struct layer_params, member), rows, columns},
    const struct row table[] = {PARAMS_LAYER(X)};
#undef X
    return table[i];
}

static struct row row_at(const struct model_dims *d, size_t i) {
    const size_t in_layers = d->L * PER_LAYER;
    assert(i < params_tensors(d));
    return i < in_layers ? layer_row(d, i % PER_LAYER) : once_row(d, i - in_layers);
}

static size_t row_size(const struct row *r) { return r->rows * (r->columns > 0 ? r->columns : 1); }

/* The member that points to tensor i. */
static float **member_at(const struct params *p, size_t i, size_t offset) {
    const bool in_layer = i < p->dims.L * PER_LAYER;
    const void *base = in_layer ? (const void *)(p->layers + i / PER_LAYER) : (const void *)p;
    return (float **)((uintptr_t)base + offset);
}

size_t params_tensors(const struct model_dims *d) { return ONCE + d->L * PER_LAYER; }

size_t params_weights(const struct model_dims *d) {
    size_t sum = 0;
    for (size_t i = 0; i < params_tensors(d); i++) {
        const struct row r = row_at(d, i);
        sum += row_size(&r);
    }
    return sum;
}

static size_t padded(size_t n) { return (n + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS; }

size_t params_count(const struct model_dims *d) {
    size_t sum = 0;
    for (size_t i = 0; i < params_tensors(d); i++) {
        const struct row r = row_at(d, i);
        sum += padded(row_size(&r));
    }
    return sum;
}

void params_at(struct param_info *out, const struct params *p, size_t i) {
    const struct row r = row_at(&p->dims, i);
    *out = (struct param_info){.rank = r.columns > 0 ? 2 : 1, .shape = {r.rows, r.columns}};
    out->data = *member_at(p, i, r.offset);
    if (i < p->dims.L * PER_LAYER)
        snprintf(out->name, sizeof out->name, "_backbone.h.%zu.%s", i / PER_LAYER, r.name);
    else
        snprintf(out->name, sizeof out->name, "%s", r.name);
}

void params_place(struct params *p, size_t i, float *data) {
    *member_at(p, i, row_at(&p->dims, i).offset) = data;
}

enum err_code params_borrow(struct params *p, const struct model_dims *d, struct err *err) {
    assert(d->L > 0 && d->H > 0 && d->E % d->H == 0);
    assert(d->E > 0 && d->inputs > 0 && d->positions > 0);
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
        const struct row r = row_at(d, i);
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
    arena_release(&p->memory);
    free(p->layers);
    *p = (struct params){0};
}

/* ---- initialisation */

static bool ends_with(const char *name, const char *end) {
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static void fill_normal(const struct param_info *t, const struct rng *r, float deviation) {
    for (size_t row = 0; row < t->shape[0]; row++) {
        float *x = t->data + row * t->shape[1];
        rng_normals(x, t->shape[1], r, 0, row);
        for (size_t j = 0; j < t->shape[1]; j++) x[j] *= deviation;
    }
}

static void fill_uniform(const struct param_info *t, const struct rng *r, size_t fan_in) {
    const size_t columns = t->rank == 2 ? t->shape[1] : 1;
    const double bound = 1.0 / sqrt((double)fan_in);
    for (size_t i = 0; i < t->shape[0] * columns; i++) {
        double u;
        rng_uniforms(&u, 1, r, i / columns, i % columns);
        t->data[i] = (float)(bound * (2.0 * u - 1.0));
    }
}

static void fill_constant(const struct param_info *t, float value) {
    for (size_t i = 0; i < t->shape[0]; i++) t->data[i] = value;
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
            fill_uniform(&t, &r, p->dims.inputs);
        else if (strncmp(t.name, "_read_out.", 10) == 0)
            fill_uniform(&t, &r, p->dims.E);
        else if (t.rank == 1)
            fill_constant(&t, strstr(t.name, ".ln_") && ends_with(t.name, "weight") ? 1.0f : 0.0f);
        else
            fill_normal(&t, &r, ends_with(t.name, "c_proj.weight") ? narrow : 0.02f);
    }
}
