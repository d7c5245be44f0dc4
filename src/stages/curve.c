#include "stages/curve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "problems/prompts.h"

/* Context tokens of a whole prompt and of a window; T0 beyond the prompt is no window at all. */
static size_t whole_tokens(const struct curve_options *o) { return 2 * (o->points - 1); }

static bool has_windows(const struct curve_options *o) {
    return o->setup->method->prompt != METHOD_WHOLE && o->window_points < o->points;
}

static size_t window_tokens(const struct curve_options *o) { return 2 * (o->window_points - 1); }

/* The first k that is read through a window. */
static size_t window_from(const struct curve_options *o) {
    size_t k = o->window_points;
    if (!has_windows(o)) return o->points;
    if (o->setup->method->prompt == METHOD_ORACLE && o->trained_points > k) k = o->trained_points;
    return k;
}

static void lay_out(struct curve *c, size_t inputs) {
    c->tokens = arena_floats(&c->memory, 2 * c->o.points * inputs);
    c->x = arena_floats(&c->memory, c->o.chunk * inputs);
}

enum err_code curve_create(struct curve *c, const struct curve_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &o->setup->params->dims;
    assert(o->points >= 1 && o->chunk >= 1);
    *c = (struct curve){.o = *o};
    c->slot = calloc(o->chunk, sizeof *c->slot);
    c->length = calloc(o->chunk, sizeof *c->length);
    CHECK(c->slot && c->length, ERR_MEMORY, "no memory for %zu rows", o->chunk);
    for (size_t r = 0; r < o->chunk; r++) c->slot[r] = (uint32_t)r;
    lay_out(c, d->inputs);
    TRY(arena_commit(&c->memory, err));
    lay_out(c, d->inputs);
    TRY(context_create(&c->whole, d, o->chunk, whole_tokens(o), err));
    if (has_windows(o)) TRY(context_create(&c->window, d, o->chunk, window_tokens(o), err));
    TRY(context_scratch_create(&c->fill, d, whole_tokens(o), err));
    TRY(vector_pass_create(&c->pass, o->setup, o->chunk, whole_tokens(o), false, err));
cleanup:
    if (rc != ERR_OK) curve_destroy(c);
    return rc;
}

void curve_destroy(struct curve *c) {
    vector_pass_destroy(&c->pass);
    context_scratch_destroy(c->fill);
    context_destroy(&c->window);
    context_destroy(&c->whole);
    arena_release(&c->memory);
    free(c->length);
    free(c->slot);
    *c = (struct curve){0};
}

size_t curve_bytes(const struct model_dims *dims, const struct curve_options *o) {
    size_t bytes = context_bytes(dims, o->chunk, whole_tokens(o)) +
                   vector_pass_bytes(dims, o->chunk, whole_tokens(o), false);
    if (has_windows(o)) bytes += context_bytes(dims, o->chunk, window_tokens(o));
    return bytes;
}

/* Contexts of all prompts from their `pairs` pairs that start at point `first`. */
static void fill(struct curve *c, struct context *context, const struct prompt_view *prompts,
                 size_t first, size_t pairs) {
    const struct edits none = {0};
    for (size_t i = 0; i < prompts->n; i++) {
        prompts_tokens(c->tokens, prompt_view_x(prompts, i, first),
                       prompts->y + i * prompts->points + first, 1, pairs, prompts->dims);
        context_fill(context, i, c->fill, c->o.setup->params, c->tokens, 2 * pairs, &none);
    }
}

/* The query at point k of every prompt, which sees `pairs` pairs of its context. */
static void ask(float *prediction, struct curve *c, const struct context *context,
                const struct prompt_view *prompts, size_t k, size_t pairs) {
    size_t dims = prompts->dims;
    for (size_t i = 0; i < prompts->n; i++) {
        c->length[i] = (uint32_t)(2 * pairs);
        memcpy(c->x + i * dims, prompt_view_x(prompts, i, k), dims * sizeof *c->x);
    }
    const struct query_rows rows = {prompts->n, c->slot, c->length, c->x};
    vector_pass_run(&c->pass, context, &rows);
    for (size_t i = 0; i < prompts->n; i++)
        prediction[i * prompts->points + k] = c->pass.query.prediction[i];
}

void curve_begin(struct curve *c, const struct prompt_view *prompts, const struct basis *basis,
                 const float *w) {
    assert(prompts->n <= c->o.chunk && prompts->points == c->o.points);
    vector_pass_set(&c->pass, basis, w);
    fill(c, &c->whole, prompts, 0, prompts->points - 1);
}

void curve_step(float *prediction, struct curve *c, const struct prompt_view *prompts, size_t k) {
    size_t pairs = c->o.window_points - 1;
    if (k < window_from(&c->o)) {
        ask(prediction, c, &c->whole, prompts, k, k);
    } else {
        fill(c, &c->window, prompts, k - pairs, pairs);
        ask(prediction, c, &c->window, prompts, k, pairs);
    }
}

void curve_predict(float *prediction, struct curve *c, const struct prompt_view *prompts,
                   const struct basis *basis, const float *w) {
    curve_begin(c, prompts, basis, w);
    for (size_t k = 0; k < prompts->points; k++) curve_step(prediction, c, prompts, k);
}
