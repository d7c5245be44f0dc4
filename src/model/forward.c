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
    bool sparse;    /* the last block ends at x tokens */
    size_t *start;  /* [B + 1] first token of each sequence of the last run */
    size_t longest; /* tokens of its longest sequence */
    float *angles;  /* block_angles(length) of positions 0, 1, 2, ... */
    float *last;    /* [T / 2, E] the x tokens after the last block, if x[L] has all tokens */
    float *head;    /* attention_scratch(length, head width) */
    float *even;    /* [chunk, E] the x tokens before the last block */
    float *dx;      /* [T, E]; this and what follows is for the backward pass */
    float *dx_last; /* [T / 2, E] */
    struct block_scratch block; /* for one chunk */
};

static bool reads_vectors(const struct model_dims *d) {
    return family_of(d)->embedding == EMBEDDING_READ_IN;
}

/* ---- sequences first .. first + n - 1 of a run, at one layer */

struct chunk {
    size_t first, n, T;         /* sequences; tokens */
    size_t step, R;             /* the block is finished at every step-th token: R rows */
    struct forward_layer layer; /* activations, from the chunk's first row */
    float *att;                 /* of its first sequence */
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static size_t chunk_sequences(size_t length) {
    return length < CHUNK_TOKENS ? CHUNK_TOKENS / length : 1;
}

/* Tokens of the largest chunk, for any length up to the one laid out. */
static size_t chunk_tokens(const struct forward *f) {
    return smaller(f->T, f->length < CHUNK_TOKENS ? CHUNK_TOKENS : f->length);
}

static size_t chunk_count(const struct forward *f) {
    const size_t each = chunk_sequences(f->scratch->longest);
    return (f->B_run + each - 1) / each;
}

/* Sequence b as attention sees it. */
static struct attention_shape shape_of(const struct forward *f, size_t b, size_t step, size_t l) {
    const size_t *start = f->scratch->start;
    return (struct attention_shape){1, start[b + 1] - start[b], step, block_heads(&f->dims, l)};
}

/* Floats of the triangles of a sequence. */
static size_t triangles(const struct forward *f, size_t b, size_t step) {
    const size_t *start = f->scratch->start;
    return f->dims.H * attention_triangle(start[b + 1] - start[b], step);
}

/* Chunk c of chunk_count(), which have about equal numbers of sequences, at layer l. */
static struct chunk chunk_at(const struct forward *f, size_t c, size_t l) {
    const size_t count = chunk_count(f), *start = f->scratch->start;
    const size_t first = f->B_run * c / count, n = f->B_run * (c + 1) / count - first;
    const size_t step = f->scratch->sparse && l + 1 == f->dims.L ? 2 : 1;
    const size_t row = start[first], T = start[first + n] - row;
    struct chunk k = {first, n, T, step, T / step, {0}, f->layers[l].att};
    k.layer = block_rows(&f->layers[l], &f->dims, row, row / step);
    for (size_t b = 0; b < first; b++) k.att += triangles(f, b, step);
    return k;
}

/* ---- storage */

static void lay_out_layer(struct forward_layer *layer, const struct forward *f, struct arena *a,
                          bool for_backward) {
    const size_t T = f->T;
    block_lay_out(layer, a, &f->dims, T, f->dims.H * T * (f->length + 1) / 2, for_backward);
    layer->z = arena_floats(a, T * model_heads_width(&f->dims));
    layer->a = for_backward ? NULL : arena_floats(a, T * f->dims.E);
}

static void forward_lay_out(struct forward *f, struct forward_scratch *s, struct arena *a,
                            bool for_backward) {
    const size_t T = f->T, E = f->dims.E, answers = reads_vectors(&f->dims) ? T / 2 : 0;
    s->sparse = for_backward && reads_vectors(&f->dims) && !f->dims.parallel;
    f->x = arena_floats(a, (f->dims.L + 1) * T * E);
    for (size_t l = 0; l < f->dims.L; l++) {
        struct forward_layer measured;
        lay_out_layer(f->layers ? &f->layers[l] : &measured, f, a, for_backward);
    }
    unembed_lay_out(&f->last, a, &f->dims, answers, for_backward);
    f->prediction = arena_floats(a, answers);
    s->head = arena_floats(a, attention_scratch(f->length, model_head_width(&f->dims)));
    s->angles = arena_floats(a, block_angles(&f->dims, f->length));
    if (!s->sparse) s->last = arena_floats(a, answers * E);
    if (!for_backward) return;
    if (s->sparse) s->even = arena_floats(a, chunk_tokens(f) * E);
    s->dx = arena_floats(a, T * E);
    s->dx_last = arena_floats(a, answers * E);
    block_scratch_lay_out(&s->block, a, &f->dims, chunk_tokens(f));
}

size_t forward_bytes(const struct model_dims *dims, size_t B, size_t length, bool for_backward) {
    struct forward f = {.dims = *dims, .B = B, .length = length, .T = B * length};
    struct forward_scratch s;
    struct arena a = {0};
    forward_lay_out(&f, &s, &a, for_backward);
    return a.used;
}

/* Positions 0, 1, 2, ... */
static enum err_code set_angles(struct forward *f, struct err *err) {
    uint32_t *position = calloc(f->length, sizeof *position);
    if (!position) return ERR(err, ERR_MEMORY, "no memory for %zu positions", f->length);
    for (size_t t = 0; t < f->length; t++) position[t] = (uint32_t)t;
    block_set_angles(f->scratch->angles, &f->dims, position, f->length);
    free(position);
    return ERR_OK;
}

enum err_code forward_create_tokens(struct forward *f, const struct model_dims *dims, size_t B,
                                    size_t length, size_t T, bool for_backward, struct err *err) {
    enum err_code rc = ERR_OK;
    struct forward made = {.dims = *dims, .B = B, .length = length, .T = T};
    assert(length <= dims->positions && (length % 2 == 0 || !reads_vectors(dims)));
    made.scratch = calloc(1, sizeof *made.scratch);
    made.layers = calloc(dims->L, sizeof *made.layers);
    CHECK(made.scratch && made.layers, ERR_MEMORY, "no memory for the tables of a forward pass");
    made.scratch->start = calloc(B + 1, sizeof *made.scratch->start);
    CHECK(made.scratch->start, ERR_MEMORY, "no memory for the tables of a forward pass");
    forward_lay_out(&made, made.scratch, &made.memory, for_backward);
    TRY(arena_commit(&made.memory, err));
    forward_lay_out(&made, made.scratch, &made.memory, for_backward);
    TRY(set_angles(&made, err));
    *f = made;
    made = (struct forward){0};
cleanup:
    forward_destroy(&made);
    return rc;
}

enum err_code forward_create(struct forward *f, const struct model_dims *dims, size_t B,
                             size_t length, bool for_backward, struct err *err) {
    return forward_create_tokens(f, dims, B, length, B * length, for_backward, err);
}

void forward_destroy(struct forward *f) {
    arena_release(&f->memory);
    if (f->scratch) free(f->scratch->start);
    free(f->layers);
    free(f->scratch);
    *f = (struct forward){0};
}

float *forward_x(const struct forward *f, size_t l) { return f->x + l * f->T * f->dims.E; }

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

/* qkv -> z, sequence by sequence. */
static void attend(const struct forward *f, const struct chunk *k, size_t l) {
    const struct model_dims *d = &f->dims;
    const size_t *start = f->scratch->start;
    float *att = k->att;
    for (size_t b = k->first; b < k->first + k->n; b++) {
        const size_t at = start[b] - start[k->first];
        const struct attention_shape shape = shape_of(f, b, k->step, l);
        float *qkv = k->layer.qkv + at * model_qkv_width(d);
        block_turn(qkv, f->scratch->angles, d, shape.T);
        attention_forward(k->layer.z + at / k->step * model_heads_width(d), att, f->scratch->head,
                          qkv, &shape);
        att += triangles(f, b, k->step);
    }
}

static void run_chunk(const struct forward *f, const struct params *p, size_t c, size_t l) {
    const struct model_dims *d = &f->dims;
    const struct chunk k = chunk_at(f, c, l);
    const size_t row = f->scratch->start[k.first];
    const float *x = forward_x(f, l) + row * d->E;
    block_qkv(&k.layer, x, &p->layers[l], d, k.T);
    attend(f, &k, l);
    if (k.step == 2) x = take_even_rows(f->scratch->even, x, k.R, d->E);
    block_finish(forward_x(f, l + 1) + row / k.step * d->E, &k.layer, x, &p->layers[l], d, k.R);
}

static void run_blocks(const struct forward *f, const struct params *p) {
    for (size_t l = 0; l < f->dims.L; l++)
        for (size_t c = 0; c < chunk_count(f); c++) run_chunk(f, p, c, l);
}

/* lengths [B], or NULL: all are `length`. */
static void set_sequences(struct forward *f, size_t B, const uint32_t *lengths, size_t length) {
    struct forward_scratch *s = f->scratch;
    assert(B <= f->B);
    f->B_run = B;
    s->longest = lengths ? 1 : length;
    for (size_t b = 0; b < B; b++) {
        const size_t n = lengths ? lengths[b] : length;
        assert(n > 0 && n <= f->length);
        if (n > s->longest) s->longest = n;
        s->start[b + 1] = s->start[b] + n;
    }
    f->T_run = s->start[B];
    assert(f->T_run <= f->T);
}

static const float *after_last_block(const struct forward *f, size_t rows) {
    const float *x = forward_x(f, f->dims.L);
    return f->scratch->sparse ? x : take_even_rows(f->scratch->last, x, rows, f->dims.E);
}

void forward_run(struct forward *f, const struct params *p, const float *tokens, size_t B,
                 size_t length) {
    const size_t rows = B * length / 2;
    assert(reads_vectors(&f->dims) && length % 2 == 0);
    set_sequences(f, B, NULL, length);
    embed_sequences(f->x, p, tokens, NULL, B, length);
    run_blocks(f, p);
    unembed_forward(f->prediction, &f->last, p, after_last_block(f, rows), rows);
}

void forward_run_ids(struct forward *f, const struct params *p, const struct forward_ids *ids) {
    const size_t *start = f->scratch->start;
    assert(!reads_vectors(&f->dims));
    set_sequences(f, ids->B, ids->length, 0);
    for (size_t b = 0; b < ids->B; b++)
        embed_sequences(f->x + start[b] * f->dims.E, p, NULL, ids->ids + start[b], 1,
                        ids->length[b]);
    run_blocks(f, p);
}

/* ---- backward */

/* block.dz -> block.dqkv, sequence by sequence. */
static void attend_backward(const struct forward *f, const struct chunk *k, size_t l) {
    const struct model_dims *d = &f->dims;
    const struct forward_scratch *s = f->scratch;
    const size_t width = model_qkv_width(d);
    const float *att = k->att;
    for (size_t b = k->first; b < k->first + k->n; b++) {
        const size_t at = s->start[b] - s->start[k->first];
        const struct attention_shape shape = shape_of(f, b, k->step, l);
        attention_backward(s->block.dqkv + at * width, s->head,
                           s->block.dz + at / k->step * model_heads_width(d), att,
                           k->layer.qkv + at * width, &shape);
        block_turn_backward(s->block.dqkv + at * width, s->angles, d, shape.T);
        att += triangles(f, b, k->step);
    }
}

static void chunk_backward(const struct forward *f, struct params *gradient, const struct params *p,
                           size_t c, size_t l) {
    const struct model_dims *d = &f->dims;
    const struct forward_scratch *s = f->scratch;
    const struct layer_params *w = &p->layers[l], *g = &gradient->layers[l];
    const struct chunk k = chunk_at(f, c, l);
    const size_t at = s->start[k.first] * d->E;
    const float *x = forward_x(f, l) + at;
    float *dx = s->dx + at, *dmid = k.step == 2 ? s->dx_last + at / 2 : dx;
    block_finish_backward(dmid, &s->block, g, &k.layer, k.step == 2 ? NULL : x, w, d, k.R);
    attend_backward(f, &k, l);
    if (k.step == 2) put_even_rows(dx, dmid, k.R, d->E);
    block_qkv_backward(dx, &s->block, g, &k.layer, x, w, d, k.T);
}

static void blocks_backward(const struct forward *f, struct params *gradient,
                            const struct params *p) {
    for (size_t l = f->dims.L; l-- > 0;)
        for (size_t c = 0; c < chunk_count(f); c++) chunk_backward(f, gradient, p, c, l);
}

void forward_backward(struct params *gradient, struct forward *f, const struct params *p,
                      const float *tokens, const float *dprediction) {
    const struct forward_scratch *s = f->scratch;
    const size_t B = f->B_run, T = f->T_run, E = f->dims.E;
    assert(s->dx && B > 0);
    unembed_backward(s->dx_last, gradient, &f->last, p, after_last_block(f, T / 2), dprediction,
                     T / 2);
    if (!s->sparse) put_even_rows(s->dx, s->dx_last, T / 2, E);
    blocks_backward(f, gradient, p);
    embed_backward(gradient, s->dx, tokens, NULL, B, T / B);
}

void forward_backward_ids(struct params *gradient, struct forward *f, const struct params *p,
                          const struct forward_ids *ids, const float *dx) {
    const struct forward_scratch *s = f->scratch;
    const size_t E = f->dims.E;
    assert(s->dx && f->B_run == ids->B);
    memcpy(s->dx, dx, f->T_run * E * sizeof *dx);
    blocks_backward(f, gradient, p);
    for (size_t b = 0; b < ids->B; b++)
        embed_backward(gradient, s->dx + s->start[b] * E, NULL, ids->ids + s->start[b], 1,
                       ids->length[b]);
}
