#include "passes/choice_loss.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "sources/prompt_batch.h"

struct choice_loss {
    struct choice_loss_options o;
    const float *w;
    struct prompt_batch batch; /* slots and rows: [chunk] */
    struct vector_pass pass;
    struct basis_collector *collector; /* NULL: not needed */
    struct basis_set basis;            /* [chunk] */
};

static bool has_basis(const struct choice_loss_options *o) {
    return method_basis(o->setup) && !o->mean;
}

static size_t context_tokens(const struct choice_loss_options *o) { return 2 * (o->points - 1); }

static struct prompt_batch_options choice_batch_options(const struct choice_loss_options *o) {
    return (struct prompt_batch_options){.dims = &o->setup->params->dims,
                                         .slots = o->chunk,
                                         .tokens = context_tokens(o),
                                         .rows = o->chunk,
                                         .contexts = o->contexts,
                                         .share = o->share};
}

static enum err_code create_basis(struct choice_loss *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct choice_loss_options *o = &c->o;
    const struct model_dims *d = &o->setup->params->dims;
    TRY(basis_set_create(&c->basis, d, method_basis(o->setup), o->chunk, err));
    TRY(method_collector_create(&c->collector, o->setup, c->w, o->T0, o->chunk, o->contexts, err));
    basis_collector_share(c->collector, o->share);
cleanup:
    return rc;
}

enum err_code choice_loss_create(struct choice_loss **out, const struct choice_loss_options *o,
                                 const float *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_batch_options batch = choice_batch_options(o);
    struct choice_loss *c = calloc(1, sizeof *c);
    CHECK(c, ERR_MEMORY, "no memory for the validation of a method's choices");
    *c = (struct choice_loss){.o = *o, .w = w};
    TRY(prompt_batch_create(&c->batch, &batch, err));
    TRY(vector_pass_create(&c->pass, o->setup, o->chunk, batch.tokens, false, err));
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
    prompt_batch_destroy(&c->batch);
    free(c);
}

size_t choice_loss_bytes(const struct choice_loss_options *o) {
    const struct model_dims *d = &o->setup->params->dims;
    const struct prompt_batch_options batch = choice_batch_options(o);
    size_t bytes = prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
                   vector_pass_bytes(o->setup, o->chunk, context_tokens(o), false);
    if (has_basis(o))
        bytes += basis_set_bytes(d, method_basis(o->setup), o->chunk) +
                 method_collector_bytes(o->setup, o->T0, o->chunk, o->contexts);
    return bytes;
}

/* Contexts of the prompts up to their last point. edits: those of scope `all`; NULL: none. */
static void fill_contexts(struct choice_loss *c, const struct prompt_view *p,
                          const struct edits *edits) {
    prompt_batch_begin(&c->batch, c->o.setup->params, edits);
    prompt_batch_fill(&c->batch, p, (struct prompt_span){.pairs = p->points - 1});
}

static struct basis basis_of(struct choice_loss *c, const struct prompt_view *prompts,
                             const struct basis *mean) {
    if (c->o.mean && method_basis(c->o.setup)) return *mean;
    if (!c->collector) return (struct basis){0};
    basis_collector_run(&c->basis, c->collector, c->o.setup->params, prompts);
    return basis_set_view(&c->basis, 0, prompts->n);
}

void choice_loss_add(double *losses, struct choice_loss *c, const struct prompt_view *prompts,
                     const struct basis *mean, double weight) {
    struct method_setup *setup = c->o.setup;
    const size_t choices = method_choices(setup);
    assert(prompts->n <= c->o.chunk && prompts->points == c->o.points);
    const bool own = setup->method->application.scope == EDIT_ALL; /* contexts for every choice */
    prompt_batch_ask(&c->batch, prompts, prompts->points - 1, context_tokens(&c->o));
    if (!own) fill_contexts(c, prompts, NULL);
    const struct basis basis = basis_of(c, prompts, mean);
    const struct query_rows rows = prompt_rows_of(&c->batch.rows, prompts->n);
    for (setup->choice = 0; setup->choice < choices; setup->choice++) {
        vector_pass_set(&c->pass, &basis, c->w);
        if (own) fill_contexts(c, prompts, &c->pass.edits);
        vector_pass_run(&c->pass, &c->batch.context, &rows);
        losses[setup->choice] += prompt_loss_sum(NULL, &c->o.loss, c->pass.query.prediction,
                                                 c->batch.rows.target, weight, prompts->n);
    }
    setup->choice = 0;
}

size_t choice_loss_least(const double *losses, size_t n) {
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (isfinite(losses[i]) && (best == n || losses[i] < losses[best])) best = i;
    return best;
}
