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

/* Numbers of a row at a site. */
static size_t site_width(const struct model_dims *d, enum edit_site site) {
    return site == EDIT_HEADS ? model_heads_width(d) : d->E;
}

/* Row r of x [L, capacity, width] at a layer. */
static float *row_of(const struct query *q, float *x, size_t width, size_t layer, size_t r) {
    return x + (layer * q->capacity + r) * width;
}

static float *at_site(const struct query *q, enum edit_site site, size_t layer, size_t r) {
    return row_of(q, site == EDIT_HEADS ? q->z : q->a, site_width(&q->dims, site), layer, r);
}

static const float *value_row(const struct basis *b, enum edit_site site, size_t layer, size_t r,
                              const struct model_dims *d) {
    const float *values = b->part[site == EDIT_HEADS ? BASIS_HEADS : BASIS_ATTENTION];
    return values + (layer * b->stride + (b->R > 1 ? r : 0)) * site_width(d, site);
}

/* Copy number `at`: row r with head h replaced. */
static void put_copy(struct head_patching *e, size_t at, const struct basis *values,
                     enum edit_site site, size_t layer, size_t h, size_t r) {
    const struct model_dims *d = &e->base.dims;
    const size_t E = d->E, D = model_head_width(d);
    float *to = at_site(&e->copies, site, layer, at);
    memcpy(row_of(&e->copies, e->copies.x, E, layer, at), row_of(&e->base, e->base.x, E, layer, r),
           E * sizeof *to);
    memcpy(to, at_site(&e->base, site, layer, r), site_width(d, site) * sizeof *to);
    memcpy(to + h * D, value_row(values, site, layer, r, d) + h * D, D * sizeof *to);
    e->slot[at] = e->rows.slot[r];
    e->length[at] = e->rows.length[r];
}

/* Row r of out [R, width] = what copy number `at` gives. */
static void take_copy(float *out, size_t r, const struct head_patching *e, size_t at) {
    const size_t E = e->base.dims.E;
    if (e->copies.prediction)
        out[r] = e->copies.prediction[at];
    else
        memcpy(out + r * E, query_output(&e->copies) + at * E, E * sizeof *out);
}

static size_t result_width(const struct head_patching *e) {
    return e->copies.prediction ? 1 : e->base.dims.E;
}

void head_patching_heads(float *result, struct head_patching *e, const struct basis *values,
                         enum edit_site site, size_t layer, size_t h, size_t n) {
    const struct model_dims *d = &e->base.dims;
    const size_t R = e->rows.R, together = e->copies.capacity / n;
    assert(site == EDIT_HEADS || (site == EDIT_ATTENTION && model_heads_width(d) == d->E));
    assert(n >= 1 && h + n <= d->H && layer < d->L);
    assert(values->R == 1 || values->R == R);
    for (size_t first = 0; first < R; first += together) {
        const size_t rows = R - first < together ? R - first : together;
        /* Copies of a row are neighbours, as they read the same context. */
        for (size_t i = 0; i < rows * n; i++)
            put_copy(e, i, values, site, layer, h + i % n, first + i / n);
        const struct query_rows copies = {.R = rows * n, .slot = e->slot, .length = e->length};
        query_resume(&e->copies, e->params, e->context, &copies, &(struct edits){0}, layer, site);
        for (size_t i = 0; i < rows * n; i++) take_copy(result, i % n * R + first + i / n, e, i);
    }
}

void head_patching_all(float *result, struct head_patching *e, const struct basis *values,
                       enum edit_site site) {
    const size_t H = e->base.dims.H, layer = H * e->rows.R * result_width(e);
    for (size_t l = 0; l < e->base.dims.L; l++)
        head_patching_heads(result + l * layer, e, values, site, l, 0, H);
}
