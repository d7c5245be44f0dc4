#include "passes/curve.h"

#include <assert.h>
#include <string.h>

/* Rows of a block if there are enough prompts. A constant, because the shape of a batch determines
 * bits. */
enum { ROWS = 256 };

static size_t dummies_of(const struct curve_options *o) { return o->dummies ? o->dummies->n : 0; }

/* Context tokens of a whole prompt and of a window; a window longer than the prompt is not used. */
static size_t whole_tokens(const struct curve_options *o) {
    return 2 * (o->points - 1 + dummies_of(o));
}

static bool has_windows(const struct curve_options *o) {
    return o->setup->method->inputs.prompt != METHOD_WHOLE && o->window_points < o->points;
}

static size_t window_tokens(const struct curve_options *o) {
    return 2 * (o->window_points - 1 + dummies_of(o));
}

size_t curve_window_from(const struct curve_options *o) {
    size_t k = o->window_points;
    if (!has_windows(o)) return o->points;
    if (o->setup->method->inputs.prompt == METHOD_ORACLE && o->trained_points > k)
        k = o->trained_points;
    return k;
}

static size_t block_lengths(const struct curve_options *o, size_t k) {
    const size_t left = o->points - k;
    return left < CURVE_LENGTHS ? left : CURVE_LENGTHS;
}

/* Most rows of a block; at least one for every prompt, as vectors and windows need. */
static size_t capacity(const struct curve_options *o) {
    const size_t all = o->chunk * block_lengths(o, 0), most = all < ROWS ? all : ROWS;
    return o->chunk > most ? o->chunk : most;
}

static bool is_remade(const struct curve_options *o) {
    return o->control && o->control->control.redraw;
}

static void lay_out(struct curve *c) {
    const struct model_dims *d = &c->o.setup->params->dims;
    const size_t most = c->o.points + dummies_of(&c->o);
    if (dummies_of(&c->o) > 0) {
        c->shown_x = arena_floats(&c->memory, most * d->inputs);
        c->shown_y = arena_floats(&c->memory, most);
    }
    if (is_remade(&c->o))
        c->remade = arena_floats(&c->memory, method_edits_most(c->o.setup) * c->o.chunk * d->E);
}

static struct prompt_batch_options whole_options(const struct curve_options *o,
                                                 const struct model_dims *d) {
    return (struct prompt_batch_options){.dims = d,
                                         .slots = o->chunk,
                                         .tokens = whole_tokens(o),
                                         .rows = capacity(o),
                                         .contexts = o->contexts,
                                         .share = o->share};
}

/* A window asks one query of each prompt. */
static struct prompt_batch_options window_options(const struct curve_options *o,
                                                  const struct model_dims *d) {
    return (struct prompt_batch_options){.dims = d,
                                         .slots = o->chunk,
                                         .tokens = window_tokens(o),
                                         .rows = o->chunk,
                                         .contexts = o->contexts};
}

enum err_code curve_create(struct curve *c, const struct curve_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &o->setup->params->dims;
    assert(o->points >= 1 && o->chunk >= 1);
    *c = (struct curve){.o = *o};
    const struct prompt_batch_options whole = whole_options(o, d), window = window_options(o, d);
    lay_out(c);
    TRY(arena_commit(&c->memory, err));
    lay_out(c);
    TRY(prompt_batch_create(&c->whole, &whole, err));
    if (has_windows(o)) TRY(prompt_batch_create(&c->window, &window, err));
    TRY(vector_pass_create(&c->pass, o->setup, capacity(o), whole_tokens(o), false, err));
cleanup:
    if (rc != ERR_OK) curve_destroy(c);
    return rc;
}

void curve_destroy(struct curve *c) {
    vector_pass_destroy(&c->pass);
    prompt_batch_destroy(&c->window);
    prompt_batch_destroy(&c->whole);
    arena_release(&c->memory);
    *c = (struct curve){0};
}

size_t curve_bytes(const struct model_dims *dims, const struct curve_options *o) {
    struct curve c = {.o = *o};
    const struct prompt_batch_options whole = whole_options(o, dims),
                                      window = window_options(o, dims);
    lay_out(&c);
    size_t bytes = c.memory.used + prompt_batch_bytes(&whole) + prompt_batch_context_bytes(&whole) +
                   vector_pass_bytes(o->setup, capacity(o), whole_tokens(o), false);
    if (has_windows(o)) bytes += prompt_batch_bytes(&window) + prompt_batch_context_bytes(&window);
    return bytes;
}

/* Adds the context of prompt i for its query at point k: the last `pairs` pairs before it, with the
 * dummy pairs inserted. */
static void show_prompt(struct curve *c, struct prompt_batch *batch,
                        const struct prompt_view *prompts, size_t i, size_t k, size_t pairs) {
    const size_t first = k - pairs, all = pairs + dummies_of(&c->o);
    if (dummies_of(&c->o) == 0) {
        prompt_batch_add(batch, i, prompts, i, (struct prompt_span){first, pairs, false});
        return;
    }
    dummy_pairs_insert(c->shown_x, c->shown_y, c->o.dummies, prompt_view_x(prompts, i, first),
                       prompt_view_labels(prompts, i, k) + first, pairs, prompts->dims);
    const struct prompt_view one = {
        .n = 1, .points = all + 1, .dims = prompts->dims, .x = c->shown_x, .y = c->shown_y};
    prompt_batch_add(batch, i, &one, 0, (struct prompt_span){0, all, false});
}

/* Contexts of all prompts from the last `pairs` of their first k pairs, with the labels shown at
 * length k, under the edits of scope `all`, and at dummy tokens under those of scope `query`. */
static void fill_prompts(struct curve *c, struct prompt_batch *batch,
                         const struct prompt_view *prompts, size_t k, size_t pairs) {
    struct edits edits = c->pass.edits;
    edits.at = c->at;
    edits.n_at = dummies_of(&c->o);
    if (edits.n_at > 0) dummy_pairs_places(c->at, c->o.dummies, pairs);
    prompt_batch_begin(batch, c->o.setup->params, &edits);
    for (size_t i = 0; i < prompts->n; i++) show_prompt(c, batch, prompts, i, k, pairs);
    prompt_batch_finish(batch);
}

/* The contexts of length k, which other jobs may have made. */
static void fill_length(struct curve *c, const struct prompt_view *prompts, size_t k) {
    if (dummies_of(&c->o) > 0) {
        fill_prompts(c, &c->whole, prompts, k, k);
        return;
    }
    prompt_batch_begin(&c->whole, c->o.setup->params, &c->pass.edits);
    prompt_batch_fill(&c->whole, prompts, (struct prompt_span){.pairs = k});
}

struct block { /* queries at points k .. k + lengths - 1, the first of which sees `pairs` pairs */
    struct prompt_batch *batch;
    size_t k, lengths, pairs;
};

/* Prompts first .. first + n - 1: one row per length, the rows of a prompt next to each other. */
static void ask_some(float *prediction, struct curve *c, const struct prompt_view *prompts,
                     const struct block *b, size_t first, size_t n) {
    struct prompt_rows *all = &b->batch->rows;
    for (size_t r = 0; r < n * b->lengths; r++) {
        const size_t i = first + r / b->lengths, j = r % b->lengths;
        const struct prompt_seat at = {i, 2 * (b->pairs + dummies_of(&c->o) + j)};
        prompt_rows_ask(all, r, at, prompts, i, b->k + j);
    }
    const struct query_rows rows = prompt_rows_of(all, n * b->lengths);
    c->pass.edits.index = rows.slot; /* all lengths of a prompt share its vector */
    vector_pass_run(&c->pass, &b->batch->context, &rows);
    if (c->o.watch) {
        const struct curve_rows seen = {first, n, b->k, b->lengths, &c->pass.query};
        c->o.watch->see(c->o.watch->context, &seen);
    }
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

/* Whether every length needs a context of its own. */
static bool own_contexts(const struct curve *c, const struct prompt_view *prompts) {
    return prompts->shown_y || dummies_of(&c->o) > 0;
}

void curve_begin(struct curve *c, const struct prompt_view *prompts, const struct basis *basis,
                 const float *w, size_t first) {
    const struct method_redraw of = {prompts->n, c->o.setup->params->dims.E, &c->o.stream, first};
    assert(prompts->n <= c->o.chunk && prompts->points == c->o.points);
    vector_pass_set(&c->pass, basis, w);
    if (is_remade(&c->o))
        c->o.control->control.redraw(c->pass.items, c->pass.edits.n, c->remade, &of);
    if (own_contexts(c, prompts)) return;
    fill_length(c, prompts, prompts->points - 1);
}

/* At lengths where a method reads whole prompts, it runs the same block as all other methods, even
 * if the block extends into lengths that it reads through a window: equal shapes give equal bits.
 * The columns of those lengths are overwritten by the windows afterwards. */
size_t curve_step(float *prediction, struct curve *c, const struct prompt_view *prompts, size_t k) {
    const size_t pairs = c->o.window_points - 1, beyond = curve_window_from(&c->o);
    if (k >= beyond) {
        fill_prompts(c, &c->window, prompts, k, pairs);
        ask(prediction, c, prompts, &(struct block){&c->window, k, 1, pairs});
        return k + 1;
    }
    if (own_contexts(c, prompts)) {
        fill_length(c, prompts, k);
        ask(prediction, c, prompts, &(struct block){&c->whole, k, 1, k});
        return k + 1;
    }
    const struct block b = {&c->whole, k, block_lengths(&c->o, k), k};
    assert(k % CURVE_LENGTHS == 0);
    ask(prediction, c, prompts, &b);
    return k + b.lengths < beyond ? k + b.lengths : beyond;
}

size_t curve_step_of(const struct curve *c, const struct prompt_view *prompts, size_t k) {
    if (k >= curve_window_from(&c->o) || own_contexts(c, prompts)) return k;
    return k - k % CURVE_LENGTHS;
}

void curve_predict(float *prediction, struct curve *c, const struct prompt_view *prompts,
                   const struct basis *basis, const float *w) {
    curve_begin(c, prompts, basis, w, 0);
    for (size_t k = 0; k < prompts->points;) k = curve_step(prediction, c, prompts, k);
}
