#include "passes/curve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Lengths of a prompt that go through the model together and share its context in the cache, and
 * the rows of a pass where there are prompts enough. Constants, as they decide bits. */
enum { LENGTHS = 32, ROWS = 256 };

static size_t dummies_of(const struct curve_options *o) { return o->dummies ? o->dummies->n : 0; }

/* Context tokens of a whole prompt and of a window; T0 beyond the prompt is no window at all. */
static size_t whole_tokens(const struct curve_options *o) {
    return 2 * (o->points - 1 + dummies_of(o));
}

static bool has_windows(const struct curve_options *o) {
    return o->setup->method->prompt != METHOD_WHOLE && o->window_points < o->points;
}

static size_t window_tokens(const struct curve_options *o) {
    return 2 * (o->window_points - 1 + dummies_of(o));
}

/* The first k that is read through a window. */
static size_t window_from(const struct curve_options *o) {
    size_t k = o->window_points;
    if (!has_windows(o)) return o->points;
    if (o->setup->method->prompt == METHOD_ORACLE && o->trained_points > k) k = o->trained_points;
    return k;
}

static size_t block_lengths(const struct curve_options *o, size_t k) {
    const size_t left = o->points - k;
    return left < LENGTHS ? left : LENGTHS;
}

/* Rows of a pass at most: of every prompt once, for its vector and its windows. */
static size_t capacity(const struct curve_options *o) {
    const size_t all = o->chunk * block_lengths(o, 0), most = all < ROWS ? all : ROWS;
    return o->chunk > most ? o->chunk : most;
}

static bool is_remade(const struct curve_options *o) { return o->control && o->control->remake; }

static void lay_out(struct curve *c) {
    const size_t inputs = c->o.setup->params->dims.inputs;
    c->tokens = arena_floats(&c->memory, (whole_tokens(&c->o) + 2) * inputs);
    c->x = arena_floats(&c->memory, capacity(&c->o) * inputs);
    if (is_remade(&c->o))
        c->remade = arena_floats(&c->memory, method_edits_most(c->o.setup) * c->o.chunk *
                                                 c->o.setup->params->dims.E);
}

enum err_code curve_create(struct curve *c, const struct curve_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &o->setup->params->dims;
    assert(o->points >= 1 && o->chunk >= 1);
    *c = (struct curve){.o = *o};
    c->slot = calloc(capacity(o), sizeof *c->slot);
    c->length = calloc(capacity(o), sizeof *c->length);
    CHECK(c->slot && c->length, ERR_MEMORY, "no memory for %zu rows", capacity(o));
    lay_out(c);
    TRY(arena_commit(&c->memory, err));
    lay_out(c);
    TRY(context_create(&c->whole, d, o->chunk, whole_tokens(o), o->contexts, err));
    if (has_windows(o))
        TRY(context_create(&c->window, d, o->chunk, window_tokens(o), o->contexts, err));
    TRY(context_scratch_create(&c->fill, d, whole_tokens(o), err));
    TRY(vector_pass_create(&c->pass, o->setup, capacity(o), whole_tokens(o), false, err));
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
    struct curve c = {.o = *o};
    lay_out(&c);
    size_t bytes = c.memory.used + context_bytes(dims, o->chunk, whole_tokens(o), o->contexts) +
                   context_scratch_bytes(dims, whole_tokens(o)) +
                   vector_pass_bytes(o->setup, capacity(o), whole_tokens(o), false);
    if (has_windows(o)) bytes += context_bytes(dims, o->chunk, window_tokens(o), o->contexts);
    return bytes;
}

/* Tokens of prompt i before query first + pairs: its pairs from `first` on. Returns how many. */
static size_t show(struct curve *c, const struct prompt_view *prompts, size_t i, size_t first,
                   size_t pairs) {
    const float *x = prompt_view_x(prompts, i, first);
    const float *y = prompt_view_labels(prompts, i, first + pairs) + first;
    if (dummies_of(&c->o) > 0)
        dummy_pairs_tokens(c->tokens, c->o.dummies, x, y, pairs, prompts->dims);
    else
        prompt_tokens(c->tokens, x, y, 1, pairs, prompts->dims);
    return 2 * (pairs + dummies_of(&c->o));
}

/* Contexts of all prompts from the last `pairs` of their first k pairs, as they are shown then,
 * under the edits of scope `all`, and at dummies under those of the query. */
static void fill(struct curve *c, struct context *context, const struct prompt_view *prompts,
                 size_t k, size_t pairs) {
    struct edits edits = c->pass.edits;
    edits.at = c->at;
    edits.n_at = dummies_of(&c->o);
    if (edits.n_at > 0) dummy_pairs_places(c->at, c->o.dummies, pairs);
    for (size_t i = 0; i < prompts->n; i++) {
        const size_t n = show(c, prompts, i, k - pairs, pairs);
        context_add(context, i, c->fill, c->o.setup->params, c->tokens, n, &edits);
    }
    context_finish(context, c->fill, c->o.setup->params, &edits);
}

struct block { /* queries at points k .. k + lengths - 1, the first of which sees `pairs` pairs */
    const struct context *context;
    size_t k, lengths, pairs;
};

/* Of prompts first .. first + n - 1, a row a length, those of a prompt side by side. */
static void ask_some(float *prediction, struct curve *c, const struct prompt_view *prompts,
                     const struct block *b, size_t first, size_t n) {
    const size_t inputs = b->lengths * prompts->dims;
    for (size_t r = 0; r < n * b->lengths; r++) {
        c->slot[r] = (uint32_t)(first + r / b->lengths);
        c->length[r] = (uint32_t)(2 * (b->pairs + dummies_of(&c->o) + r % b->lengths));
    }
    for (size_t i = 0; i < n; i++)
        memcpy(c->x + i * inputs, prompt_view_query(prompts, first + i, b->k),
               inputs * sizeof *c->x);
    const struct query_rows rows = {n * b->lengths, c->slot, c->length, c->x};
    vector_pass_run(&c->pass, b->context, &rows);
    for (size_t i = 0; i < n; i++)
        memcpy(prediction + (first + i) * prompts->points + b->k,
               c->pass.query.prediction + i * b->lengths, b->lengths * sizeof *prediction);
}

static void ask(float *prediction, struct curve *c, const struct prompt_view *prompts,
                const struct block *b) {
    const size_t together = capacity(&c->o) / b->lengths;
    for (size_t first = 0; first < prompts->n; first += together) {
        const size_t left = prompts->n - first;
        ask_some(prediction, c, prompts, b, first, left < together ? left : together);
    }
}

/* Must every length be filled by itself? */
static bool own_contexts(const struct curve *c, const struct prompt_view *prompts) {
    return prompts->shown_y || dummies_of(&c->o) > 0;
}

void curve_begin(struct curve *c, const struct prompt_view *prompts, const struct basis *basis,
                 const float *w, size_t first) {
    const struct method_remake of = {prompts->n, c->o.setup->params->dims.E, &c->o.stream, first};
    assert(prompts->n <= c->o.chunk && prompts->points == c->o.points);
    vector_pass_set(&c->pass, basis, w);
    if (is_remade(&c->o)) c->o.control->remake(c->pass.items, c->pass.edits.n, c->remade, &of);
    c->pass.edits.index = c->slot; /* all lengths of a prompt have its vector */
    if (!own_contexts(c, prompts))
        fill(c, &c->whole, prompts, prompts->points - 1, prompts->points - 1);
}

/* Methods that read whole prompts at a length go through the same block there, whatever they do
 * beyond: so they have the same bits. Columns of the block beyond are written again. */
size_t curve_step(float *prediction, struct curve *c, const struct prompt_view *prompts, size_t k) {
    const size_t pairs = c->o.window_points - 1, beyond = window_from(&c->o);
    if (k >= beyond) {
        fill(c, &c->window, prompts, k, pairs);
        ask(prediction, c, prompts, &(struct block){&c->window, k, 1, pairs});
        return k + 1;
    }
    if (own_contexts(c, prompts)) {
        fill(c, &c->whole, prompts, k, k);
        ask(prediction, c, prompts, &(struct block){&c->whole, k, 1, k});
        return k + 1;
    }
    const struct block b = {&c->whole, k, block_lengths(&c->o, k), k};
    assert(k % LENGTHS == 0);
    ask(prediction, c, prompts, &b);
    return k + b.lengths < beyond ? k + b.lengths : beyond;
}

void curve_predict(float *prediction, struct curve *c, const struct prompt_view *prompts,
                   const struct basis *basis, const float *w) {
    curve_begin(c, prompts, basis, w, 0);
    for (size_t k = 0; k < prompts->points;) k = curve_step(prediction, c, prompts, k);
}
