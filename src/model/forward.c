#include "model/forward.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "model/embed.h"
#include "model/family.h"
#include "ops/attention.h"

/* Sequences go through a block in chunks of about this many tokens: the output of one step of the
 * block is then still in cache for the next, and matrix products have enough rows for full speed.
 * The bits of products depend on the number of rows, so it is the same constant on every machine.
 */
enum { CHUNK_TOKENS = 660 };

struct forward_scratch {
    float *last; /* [B * length / 2, E] the x tokens after the last block, if x[L] has all tokens */
    float *head; /* attention_scratch(length, head width) */
    float *even; /* [chunk, E] the x tokens before the last block */
    float *dx;   /* [T, E]; this and what follows is for the backward pass */
    float *dx_last;             /* [T / 2, E] */
    struct block_scratch block; /* for one chunk */
};

/* ---- sequences first .. first + n - 1 of a run, at one layer */

struct chunk {
    size_t first, n, T;           /* sequences; tokens */
    size_t step, R;               /* the block is finished at every step-th token: R rows */
    struct attention_shape shape; /* of its attention */
    struct forward_layer layer;   /* activations, from the chunk's first row */
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static size_t chunk_sequences(size_t length) {
    return length < CHUNK_TOKENS ? CHUNK_TOKENS / length : 1;
}

/* Tokens of the largest chunk, for any length up to the one laid out. */
static size_t chunk_tokens(const struct forward *f) {
    return smaller(f->B * f->length, f->length < CHUNK_TOKENS ? CHUNK_TOKENS : f->length);
}

static size_t chunk_count(const struct forward *f) {
    const size_t each = chunk_sequences(f->length_run);
    return (f->B_run + each - 1) / each;
}

static bool last_is_sparse(const struct forward *f) { return f->scratch->dx != NULL; }

/* Chunk c of chunk_count(), which are about equal in size, at layer l. */
static struct chunk chunk_at(const struct forward *f, size_t c, size_t l) {
    const struct model_dims *d = &f->dims;
    const size_t count = chunk_count(f), length = f->length_run, E = d->E;
    const size_t first = f->B_run * c / count, n = f->B_run * (c + 1) / count - first;
    const size_t step = last_is_sparse(f) && l + 1 == d->L ? 2 : 1;
    struct chunk k = {first, n, n * length, step, n * length / step, {0}, f->layers[l]};
    k.shape = (struct attention_shape){n, length, step, block_heads(d)};
    const size_t row = first * length, r = row / step;
    struct forward_layer *s = &k.layer;
    s->ln_1 += row * E, s->ln_1_mean += row, s->ln_1_rstd += row;
    s->qkv += row * 3 * E;
    s->att += first * d->H * attention_triangle(length, step);
    s->z += r * E, s->mid += r * E, s->ln_2 += r * E, s->ln_2_mean += r, s->ln_2_rstd += r;
    s->fc += r * 4 * E, s->gelu += r * 4 * E;
    if (s->a) s->a += r * E;
    return k;
}

/* ---- storage */

static void forward_lay_out(struct forward *f, struct forward_scratch *s, struct arena *a,
                            bool for_backward) {
    const size_t T = f->B * f->length, E = f->dims.E;
    f->x = arena_floats(a, (f->dims.L + 1) * T * E);
    for (size_t l = 0; l < f->dims.L; l++) {
        struct forward_layer measured, *layer = f->layers ? &f->layers[l] : &measured;
        block_lay_out(layer, a, &f->dims, T, f->B * f->dims.H * attention_triangle(f->length, 1),
                      for_backward);
        layer->z = arena_floats(a, T * E);
        layer->a = for_backward ? NULL : arena_floats(a, T * E);
    }
    unembed_lay_out(&f->last, a, &f->dims, T / 2, for_backward);
    f->prediction = arena_floats(a, T / 2);
    s->head = arena_floats(a, attention_scratch(f->length, model_head_width(&f->dims)));
    if (!for_backward) {
        s->last = arena_floats(a, T / 2 * E);
        return;
    }
    s->even = arena_floats(a, chunk_tokens(f) * E);
    s->dx = arena_floats(a, T * E);
    s->dx_last = arena_floats(a, T / 2 * E);
    block_scratch_lay_out(&s->block, a, &f->dims, chunk_tokens(f));
}

size_t forward_bytes(const struct model_dims *dims, size_t B, size_t length, bool for_backward) {
    struct forward f = {.dims = *dims, .B = B, .length = length};
    struct forward_scratch s;
    struct arena a = {0};
    forward_lay_out(&f, &s, &a, for_backward);
    return a.used;
}

enum err_code forward_create(struct forward *f, const struct model_dims *dims, size_t B,
                             size_t length, bool for_backward, struct err *err) {
    enum err_code rc = ERR_OK;
    struct forward made = {.dims = *dims, .B = B, .length = length};
    assert(family_of(dims)->embedding == EMBEDDING_READ_IN);
    assert(length % 2 == 0 && length <= dims->positions);
    made.scratch = calloc(1, sizeof *made.scratch);
    made.layers = calloc(dims->L, sizeof *made.layers);
    CHECK(made.scratch && made.layers, ERR_MEMORY, "no memory for the tables of a forward pass");
    forward_lay_out(&made, made.scratch, &made.memory, for_backward);
    TRY(arena_commit(&made.memory, err));
    forward_lay_out(&made, made.scratch, &made.memory, for_backward);
    *f = made;
    made = (struct forward){0};
cleanup:
    forward_destroy(&made);
    return rc;
}

void forward_destroy(struct forward *f) {
    arena_release(&f->memory);
    free(f->layers);
    free(f->scratch);
    *f = (struct forward){0};
}

float *forward_x(const struct forward *f, size_t l) {
    return f->x + l * f->B * f->length * f->dims.E;
}

/* ---- forward */

/* Sequences have an even length, so their x tokens are the even rows. */
static const float *take_even_rows(float *restrict out, const float *restrict x, size_t rows,
                                   size_t E) {
    for (size_t r = 0; r < rows; r++) memcpy(out + r * E, x + 2 * r * E, E * sizeof *x);
    return out;
}

static void put_even_rows(float *restrict x, const float *restrict even, size_t rows, size_t E) {
    for (size_t r = 0; r < rows; r++) {
        memcpy(x + 2 * r * E, even + r * E, E * sizeof *x);
        memset(x + (2 * r + 1) * E, 0, E * sizeof *x);
    }
}

static void run_chunk(const struct forward *f, const struct params *p, size_t c, size_t l) {
    const struct model_dims *d = &f->dims;
    const struct chunk k = chunk_at(f, c, l);
    const struct forward_layer *s = &k.layer;
    const size_t row = k.first * f->length_run;
    const float *x = forward_x(f, l) + row * d->E;
    block_qkv(s, x, &p->layers[l], d, k.T);
    attention_forward(s->z, s->att, f->scratch->head, s->qkv, &k.shape);
    if (k.step == 2) x = take_even_rows(f->scratch->even, x, k.R, d->E);
    block_finish(forward_x(f, l + 1) + row / k.step * d->E, s, x, &p->layers[l], d, k.R);
}

static const float *after_last_block(const struct forward *f, size_t rows) {
    const float *x = forward_x(f, f->dims.L);
    return last_is_sparse(f) ? x : take_even_rows(f->scratch->last, x, rows, f->dims.E);
}

void forward_run(struct forward *f, const struct params *p, const float *tokens, size_t B,
                 size_t length) {
    const struct model_dims *d = &f->dims;
    const size_t rows = B * length / 2;
    assert(B <= f->B && length <= f->length && length % 2 == 0);
    f->B_run = B;
    f->length_run = length;
    embed_sequences(f->x, p, tokens, NULL, B, length);
    for (size_t l = 0; l < d->L; l++)
        for (size_t c = 0; c < chunk_count(f); c++) run_chunk(f, p, c, l);
    unembed_forward(f->prediction, &f->last, p, after_last_block(f, rows), rows);
}

/* ---- backward */

static void chunk_backward(const struct forward *f, struct params *gradient, const struct params *p,
                           size_t c, size_t l) {
    const struct model_dims *d = &f->dims;
    const struct forward_scratch *s = f->scratch;
    const struct layer_params *w = &p->layers[l], *g = &gradient->layers[l];
    const struct chunk k = chunk_at(f, c, l);
    const size_t at = k.first * f->length_run * d->E;
    float *dx = s->dx + at, *dmid = k.step == 2 ? s->dx_last + at / 2 : dx;
    block_finish_backward(dmid, &s->block, g, &k.layer, w, d, k.R);
    attention_backward(s->block.dqkv, s->head, s->block.dz, k.layer.att, k.layer.qkv, &k.shape);
    if (k.step == 2) put_even_rows(dx, dmid, k.R, d->E);
    block_qkv_backward(dx, &s->block, g, &k.layer, forward_x(f, l) + at, w, d, k.T);
}

void forward_backward(struct params *gradient, struct forward *f, const struct params *p,
                      const float *tokens, const float *dprediction) {
    const struct model_dims *d = &f->dims;
    const struct forward_scratch *s = f->scratch;
    const size_t B = f->B_run, length = f->length_run, T = B * length;
    assert(s->dx && B > 0);
    unembed_backward(s->dx_last, gradient, &f->last, p, forward_x(f, d->L), dprediction, T / 2);
    for (size_t l = d->L; l-- > 0;)
        for (size_t c = 0; c < chunk_count(f); c++) chunk_backward(f, gradient, p, c, l);
    embed_backward(gradient, s->dx, tokens, B, length);
}
