#include "passes/choice_loss.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/loss.h"

struct choice_loss {
    struct choice_loss_options o;
    const float *w;
    struct context context;
    struct context_scratch *fill;
    struct vector_pass pass;
    struct basis_collector *collector; /* NULL: none is needed */
    struct basis_set basis;            /* [chunk] */
    float *tokens, *x, *target;        /* [2 points, dims], [chunk, dims], [chunk] */
    uint32_t *slot, *length;           /* [chunk] */
    struct arena memory;
};

static bool has_basis(const struct choice_loss_options *o) {
    return method_basis(o->setup) && !o->mean;
}

static size_t context_tokens(const struct choice_loss_options *o) { return 2 * (o->points - 1); }

static void lay_out(struct choice_loss *c, const struct choice_loss_options *o) {
    const size_t inputs = o->setup->params->dims.inputs;
    c->tokens = arena_floats(&c->memory, 2 * o->points * inputs);
    c->x = arena_floats(&c->memory, o->chunk * inputs);
    c->target = arena_floats(&c->memory, o->chunk);
}

static enum err_code create_rows(struct choice_loss *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = c->o.chunk;
    c->slot = calloc(2 * n, sizeof *c->slot);
    CHECK(c->slot, ERR_MEMORY, "no memory for %zu rows", n);
    c->length = c->slot + n;
    lay_out(c, &c->o);
    TRY(arena_commit(&c->memory, err));
    lay_out(c, &c->o);
cleanup:
    return rc;
}

static enum err_code create_basis(struct choice_loss *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct choice_loss_options *o = &c->o;
    const struct model_dims *d = &o->setup->params->dims;
    TRY(basis_set_create(&c->basis, d, method_basis(o->setup), o->chunk, err));
    TRY(method_collector_create(&c->collector, o->setup, c->w, o->T0, o->chunk, o->contexts, err));
cleanup:
    return rc;
}

enum err_code choice_loss_create(struct choice_loss **out, const struct choice_loss_options *o,
                                 const float *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &o->setup->params->dims;
    const size_t T = context_tokens(o);
    struct choice_loss *c = calloc(1, sizeof *c);
    CHECK(c, ERR_MEMORY, "no memory for the choice of a method");
    *c = (struct choice_loss){.o = *o, .w = w};
    TRY(create_rows(c, err));
    TRY(context_create(&c->context, d, o->chunk, T, o->contexts, err));
    TRY(context_scratch_create(&c->fill, d, T, err));
    TRY(vector_pass_create(&c->pass, o->setup, o->chunk, T, false, err));
    if (has_basis(o)) TRY(create_basis(c, err));
    *out = c;
    c = NULL;
cleanup:
    choice_loss_destroy(c);
    return rc;
}

void choice_loss_destroy(struct choice_loss *c) {
    if (!c) return;
    basis_collector_destroy(c->collector);
    basis_set_destroy(&c->basis);
    vector_pass_destroy(&c->pass);
    context_scratch_destroy(c->fill);
    context_destroy(&c->context);
    arena_release(&c->memory);
    free(c->slot);
    free(c);
}

size_t choice_loss_bytes(const struct choice_loss_options *o) {
    struct choice_loss c = {0};
    const struct model_dims *d = &o->setup->params->dims;
    lay_out(&c, o);
    size_t bytes = c.memory.used + context_bytes(d, o->chunk, context_tokens(o), o->contexts) +
                   context_scratch_bytes(d, context_tokens(o)) +
                   vector_pass_bytes(o->setup, o->chunk, context_tokens(o), false);
    if (has_basis(o))
        bytes += basis_set_bytes(d, method_basis(o->setup), o->chunk) +
                 method_collector_bytes(o->setup, o->T0, o->chunk, o->contexts);
    return bytes;
}

/* Contexts of the prompts, under the edits of scope `all`. */
static void fill(struct choice_loss *c, const struct prompt_view *p, const struct edits *edits) {
    const size_t last = p->points - 1;
    for (size_t i = 0; i < p->n; i++) {
        prompt_tokens(c->tokens, prompt_view_x(p, i, 0), p->y + i * p->points, 1, last, p->dims);
        context_add(&c->context, i, c->fill, c->o.setup->params, c->tokens, 2 * last, edits);
    }
    context_finish(&c->context, c->fill, c->o.setup->params, edits);
}

/* The prompts' queries at the last point. */
static void prepare(struct choice_loss *c, const struct prompt_view *p) {
    const size_t last = p->points - 1;
    for (size_t i = 0; i < p->n; i++) {
        memcpy(c->x + i * p->dims, prompt_view_x(p, i, last), p->dims * sizeof *c->x);
        c->target[i] = p->y[i * p->points + last];
        c->slot[i] = (uint32_t)i;
        c->length[i] = (uint32_t)(2 * last);
    }
}

static struct basis basis_of(struct choice_loss *c, const struct prompt_view *prompts,
                             const struct basis *mean) {
    if (c->o.mean && method_basis(c->o.setup)) return *mean;
    if (!c->collector) return (struct basis){0};
    basis_collector_run(&c->basis, c->collector, c->o.setup->params, prompts);
    return basis_set_view(&c->basis, 0, prompts->n);
}

static double loss_of(const struct choice_loss *c, size_t n, double weight) {
    const float *prediction = c->pass.query.prediction;
    return c->o.loss == FIT_HUBER ? loss_huber(NULL, prediction, c->target, c->o.delta, weight, n)
                                  : loss_mse(NULL, prediction, c->target, weight, n);
}

void choice_loss_add(double *losses, struct choice_loss *c, const struct prompt_view *prompts,
                     const struct basis *mean, double weight) {
    struct method_setup *setup = c->o.setup;
    const size_t choices = method_choices(setup);
    assert(prompts->n <= c->o.chunk && prompts->points == c->o.points);
    const bool own = setup->method->scope == EDIT_ALL; /* contexts for every choice */
    prepare(c, prompts);
    if (!own) fill(c, prompts, &(struct edits){0});
    const struct basis basis = basis_of(c, prompts, mean);
    const struct query_rows rows = {prompts->n, c->slot, c->length, c->x};
    for (setup->choice = 0; setup->choice < choices; setup->choice++) {
        vector_pass_set(&c->pass, &basis, c->w);
        if (own) fill(c, prompts, &c->pass.edits);
        vector_pass_run(&c->pass, &c->context, &rows);
        losses[setup->choice] += loss_of(c, prompts->n, weight);
    }
    setup->choice = 0;
}

size_t choice_loss_least(const double *losses, size_t n) {
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (isfinite(losses[i]) && (best == n || losses[i] < losses[best])) best = i;
    return best;
}
