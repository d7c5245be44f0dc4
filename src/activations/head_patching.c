#include "activations/head_patching.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Copies in one batch: enough for GEMMs at full rate, few enough for the cache. A constant, because
 * the shape of a batch determines bits. */
enum { COPIES = 512 };

static size_t copies_capacity(const struct model_dims *d, size_t prompts) {
    const size_t all = prompts * d->H;
    if (all <= COPIES) return all;
    return d->H > COPIES ? d->H : COPIES;
}

enum err_code head_patching_create(struct head_patching *e, const struct model_dims *dims,
                                   size_t prompts, size_t tokens, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t capacity = copies_capacity(dims, prompts);
    *e = (struct head_patching){0};
    e->slot = calloc(capacity, sizeof *e->slot);
    e->length = calloc(capacity, sizeof *e->length);
    CHECK(e->slot && e->length, ERR_MEMORY, "no memory for %zu copies of query rows", capacity);
    TRY(query_create(&e->base, dims, prompts, tokens, false, err));
    TRY(query_create(&e->copies, dims, capacity, tokens, false, err));
cleanup:
    if (rc != ERR_OK) head_patching_destroy(e);
    return rc;
}

void head_patching_destroy(struct head_patching *e) {
    query_destroy(&e->copies);
    query_destroy(&e->base);
    free(e->length);
    free(e->slot);
    *e = (struct head_patching){0};
}

size_t head_patching_bytes(const struct model_dims *dims, size_t prompts, size_t tokens) {
    return query_bytes(dims, prompts, tokens, false) +
           query_bytes(dims, copies_capacity(dims, prompts), tokens, false);
}

void head_patching_begin(struct head_patching *e, const struct params *p, const struct context *c,
                         const struct query_rows *rows) {
    e->params = p;
    e->context = c;
    e->rows = *rows;
    query_forward(&e->base, p, c, rows, &(struct edits){0});
}

/* Row r of [L, capacity, E] at a layer. */
static float *row_of(const struct query *q, float *x, size_t layer, size_t r) {
    return x + (layer * q->capacity + r) * q->dims.E;
}

static float *at_site(const struct query *q, enum edit_site site, size_t layer, size_t r) {
    return row_of(q, site == EDIT_HEADS ? q->z : q->a, layer, r);
}

static const float *value_row(const struct basis *b, enum edit_site site, size_t layer, size_t r,
                              size_t E) {
    const float *values = b->part[site == EDIT_HEADS ? BASIS_HEADS : BASIS_ATTENTION];
    return values + (layer * b->stride + (b->R > 1 ? r : 0)) * E;
}

/* Copy number `at`: row r with head h replaced. */
static void put_copy(struct head_patching *e, size_t at, const struct basis *values,
                     enum edit_site site, size_t layer, size_t h, size_t r) {
    const struct model_dims *d = &e->base.dims;
    const size_t E = d->E, D = model_head_width(d);
    float *to = at_site(&e->copies, site, layer, at);
    memcpy(row_of(&e->copies, e->copies.x, layer, at), row_of(&e->base, e->base.x, layer, r),
           E * sizeof *to);
    memcpy(to, at_site(&e->base, site, layer, r), E * sizeof *to);
    memcpy(to + h * D, value_row(values, site, layer, r, E) + h * D, D * sizeof *to);
    e->slot[at] = e->rows.slot[r];
    e->length[at] = e->rows.length[r];
}

void head_patching_heads(float *prediction, struct head_patching *e, const struct basis *values,
                         enum edit_site site, size_t layer, size_t h, size_t n) {
    const size_t R = e->rows.R, together = e->copies.capacity / n;
    assert(site == EDIT_HEADS || site == EDIT_ATTENTION);
    assert(n >= 1 && h + n <= e->base.dims.H && layer < e->base.dims.L);
    assert(values->R == 1 || values->R == R);
    for (size_t first = 0; first < R; first += together) {
        const size_t rows = R - first < together ? R - first : together;
        /* Copies of a row are neighbours, as they read the same context. */
        for (size_t i = 0; i < rows * n; i++)
            put_copy(e, i, values, site, layer, h + i % n, first + i / n);
        const struct query_rows copies = {.R = rows * n, .slot = e->slot, .length = e->length};
        query_resume(&e->copies, e->params, e->context, &copies, &(struct edits){0}, layer, site);
        for (size_t i = 0; i < rows * n; i++)
            prediction[i % n * R + first + i / n] = e->copies.prediction[i];
    }
}

void head_patching_all(float *prediction, struct head_patching *e, const struct basis *values,
                       enum edit_site site) {
    const size_t H = e->base.dims.H;
    for (size_t l = 0; l < e->base.dims.L; l++)
        head_patching_heads(prediction + l * H * e->rows.R, e, values, site, l, 0, H);
}
