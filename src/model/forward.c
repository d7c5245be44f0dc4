#include "model/forward.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "ops/attention.h"
#include "ops/layernorm.h"
#include "ops/linear.h"
#include "ops/rows.h"

struct forward_scratch {
    float *last;                /* [B * length / 2, E] the x tokens after the last block */
    float *dx, *dlast, *dln_f;  /* [T, E]; the others as last */
    float *head;                /* [length, length] of one head's attention */
    struct block_scratch block; /* all but `last` only for the backward pass */
};

static void lay_out(struct forward *f, struct forward_scratch *s, struct arena *a,
                    bool for_backward) {
    const size_t T = f->B * f->length, E = f->dims.E;
    f->x = arena_floats(a, (f->dims.L + 1) * T * E);
    for (size_t l = 0; l < f->dims.L; l++) {
        struct forward_layer measured, *layer = f->layers ? &f->layers[l] : &measured;
        block_lay_out(layer, a, &f->dims, T, f->B * f->dims.H * f->length * f->length);
        layer->z = arena_floats(a, T * E);
        layer->a = arena_floats(a, T * E);
    }
    f->ln_f = arena_floats(a, T / 2 * E);
    f->ln_f_mean = arena_floats(a, T / 2);
    f->ln_f_rstd = arena_floats(a, T / 2);
    f->prediction = arena_floats(a, T / 2);
    s->last = arena_floats(a, T / 2 * E);
    if (!for_backward) return;
    s->dx = arena_floats(a, T * E);
    s->dlast = arena_floats(a, T / 2 * E);
    s->dln_f = arena_floats(a, T / 2 * E);
    s->head = arena_floats(a, f->length * f->length);
    block_scratch_lay_out(&s->block, a, &f->dims, T);
}

size_t forward_bytes(const struct model_dims *dims, size_t B, size_t length, bool for_backward) {
    struct forward f = {.dims = *dims, .B = B, .length = length};
    struct forward_scratch s;
    struct arena a = {0};
    lay_out(&f, &s, &a, for_backward);
    return a.used;
}

enum err_code forward_create(struct forward *f, const struct model_dims *dims, size_t B,
                             size_t length, bool for_backward, struct err *err) {
    enum err_code rc = ERR_OK;
    struct forward made = {.dims = *dims, .B = B, .length = length};
    assert(length % 2 == 0 && length <= dims->positions);
    made.scratch = calloc(1, sizeof *made.scratch);
    made.layers = calloc(dims->L, sizeof *made.layers);
    CHECK(made.scratch && made.layers, ERR_MEMORY, "cannot allocate the tables of a forward pass");
    lay_out(&made, made.scratch, &made.memory, for_backward);
    TRY(arena_commit(&made.memory, err));
    lay_out(&made, made.scratch, &made.memory, for_backward);
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

/* Sequences have an even length, so x tokens are the even rows of them all. */
static void take_even_rows(float *restrict out, const float *restrict x, size_t rows, size_t E) {
    for (size_t r = 0; r < rows; r++) memcpy(out + r * E, x + 2 * r * E, E * sizeof *x);
}

static void put_even_rows(float *restrict x, const float *restrict even, size_t rows, size_t E) {
    memset(x, 0, 2 * rows * E * sizeof *x);
    for (size_t r = 0; r < rows; r++) memcpy(x + 2 * r * E, even + r * E, E * sizeof *x);
}

void forward_run(struct forward *f, const struct params *p, const float *tokens, size_t B,
                 size_t length) {
    const struct model_dims *d = &f->dims;
    const size_t T = B * length, E = d->E;
    assert(B <= f->B && length <= f->length && length % 2 == 0);
    f->B_run = B;
    f->length_run = length;
    block_embed(f->x, p, tokens, B, length);
    for (size_t l = 0; l < d->L; l++) {
        const struct forward_layer *s = &f->layers[l];
        const float *x = forward_x(f, l);
        block_qkv(s, x, &p->layers[l], d, T);
        attention_forward(s->z, s->att, s->qkv, B, length, d->H, model_head_width(d));
        block_finish(forward_x(f, l + 1), s, x, &p->layers[l], d, T);
    }
    float *last = f->scratch->last;
    take_even_rows(last, forward_x(f, d->L), T / 2, E);
    layernorm_forward(f->ln_f, f->ln_f_mean, f->ln_f_rstd, last, p->ln_f_w, p->ln_f_b, d->epsilon,
                      T / 2, E);
    linear_forward(f->prediction, f->ln_f, p->read_out_w, p->read_out_b, T / 2, E, 1,
                   LINEAR_OUT_IN);
}

/* dprediction -> gradient of x[L] in scratch->dx, zero at y tokens. */
static void read_out_backward(struct params *g, const struct forward *f, const struct params *p,
                              const float *dprediction, size_t rows) {
    const struct forward_scratch *s = f->scratch;
    const size_t E = f->dims.E;
    memset(s->dlast, 0, rows * E * sizeof *s->dlast);
    linear_backward(s->dln_f, g->read_out_w, g->read_out_b, dprediction, f->ln_f, p->read_out_w,
                    rows, E, 1, LINEAR_OUT_IN);
    layernorm_backward(s->dlast, g->ln_f_w, g->ln_f_b, s->dln_f, s->last, f->ln_f_mean,
                       f->ln_f_rstd, p->ln_f_w, rows, E);
    put_even_rows(s->dx, s->dlast, rows, E);
}

void forward_backward(struct params *gradient, struct forward *f, const struct params *p,
                      const float *tokens, const float *dprediction) {
    const struct model_dims *d = &f->dims;
    const struct forward_scratch *s = f->scratch;
    const size_t B = f->B_run, length = f->length_run, T = B * length;
    assert(s->dx && B > 0);
    read_out_backward(gradient, f, p, dprediction, T / 2);
    for (size_t l = d->L; l-- > 0;) {
        const struct forward_layer *a = &f->layers[l];
        const struct layer_params *w = &p->layers[l], *g = &gradient->layers[l];
        block_finish_backward(s->dx, &s->block, g, a, w, d, T);
        attention_backward(s->block.dqkv, s->head, s->block.dz, a->att, a->qkv, B, length, d->H,
                           model_head_width(d));
        block_qkv_backward(s->dx, &s->block, g, a, forward_x(f, l), w, d, T);
    }
    linear_backward(NULL, gradient->read_in_w, gradient->read_in_b, s->dx, tokens, NULL, T,
                    d->inputs, d->E, LINEAR_OUT_IN);
    for (size_t b = 0; b < B; b++)
        rows_add(gradient->wpe, s->dx + b * length * d->E, length * d->E);
}
