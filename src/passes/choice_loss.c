#include "passes/choice_loss.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "passes/answer_loss.h"
#include "sources/prompt_batch.h"

struct choice_loss {
    struct choice_loss_options o;
    const float *w;
    struct prompt_batch batch; /* slots: [chunk]; rows: of a chunk */
    struct vector_pass pass;
    struct answer_loss loss;
    struct basis_collector *collector; /* NULL: not needed */
    struct basis_set basis;            /* [chunk] */
};

static bool has_basis(const struct choice_loss_options *o) {
    return method_basis(o->setup) && !o->mean;
}

static bool is_text(const struct choice_loss_options *o) { return o->size.answer > 0; }

static size_t context_tokens(const struct choice_loss_options *o) {
    return is_text(o) ? o->size.tokens : 2 * (o->points - 1);
}

static size_t rows_most(const struct choice_loss_options *o) {
    return o->chunk * (is_text(o) ? o->size.answer : 1);
}

static struct prompt_batch_options choice_batch_options(const struct choice_loss_options *o) {
    return (struct prompt_batch_options){.dims = &o->setup->params->dims,
                                         .slots = o->chunk,
                                         .tokens = context_tokens(o),
                                         .rows = rows_most(o),
                                         .contexts = o->contexts,
                                         .share = o->share};
}

static struct vector_pass_size choice_pass_size(const struct choice_loss_options *o) {
    return (struct vector_pass_size){.capacity = rows_most(o),
                                     .tokens = context_tokens(o),
                                     .earlier = is_text(o) ? o->size.answer - 1 : 0};
}

static struct basis_size choice_basis_size(const struct choice_loss_options *o) {
    return (struct basis_size){
        .T0 = o->T0, .tokens = o->size.basis, .answer = o->size.basis_answer};
}

static enum err_code create_basis(struct choice_loss *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct choice_loss_options *o = &c->o;
    const struct model_dims *d = &o->setup->params->dims;
    const struct basis_size size = choice_basis_size(o);
    TRY(basis_set_create(&c->basis, d, method_basis(o->setup), o->chunk, err));
    TRY(method_collector_create(&c->collector, o->setup, c->w, &size, o->chunk, o->contexts, err));
    basis_collector_share(c->collector, o->share);
cleanup:
    return rc;
}

enum err_code choice_loss_create(struct choice_loss **out, const struct choice_loss_options *o,
                                 const float *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_batch_options batch = choice_batch_options(o);
    const struct vector_pass_size pass = choice_pass_size(o);
    struct choice_loss *c = calloc(1, sizeof *c);
    CHECK(c, ERR_MEMORY, "no memory for the validation of a method's choices");
    *c = (struct choice_loss){.o = *o, .w = w};
    TRY(prompt_batch_create(&c->batch, &batch, err));
    TRY(vector_pass_create_long(&c->pass, o->setup, &pass, err));
    TRY(answer_loss_create(&c->loss, &o->setup->params->dims, &o->loss, rows_most(o), err));
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
    answer_loss_destroy(&c->loss);
    vector_pass_destroy(&c->pass);
    prompt_batch_destroy(&c->batch);
    free(c);
}

size_t choice_loss_bytes(const struct choice_loss_options *o) {
    const struct model_dims *d = &o->setup->params->dims;
    const struct prompt_batch_options batch = choice_batch_options(o);
    const struct vector_pass_size pass = choice_pass_size(o);
    const struct basis_size size = choice_basis_size(o);
    size_t bytes = prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
                   vector_pass_bytes_long(o->setup, &pass) +
                   answer_loss_bytes(d, &o->loss, rows_most(o));
    if (has_basis(o))
        bytes += basis_set_bytes(d, method_basis(o->setup), o->chunk) +
                 method_collector_bytes(o->setup, &size, o->chunk, o->contexts);
    return bytes;
}

/* Contexts of the prompts up to their last point. edits: those of scope `all`; NULL: none. */
static void add_contexts(struct choice_loss *c, const struct prompt_view *p,
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

/* The rows that ask for the answers: one a prompt, or one for each token. Returns how many. */
static size_t ask_answers(struct choice_loss *c, const struct prompt_view *p) {
    size_t R = 0;
    if (!is_text(&c->o) || c->o.first_token) {
        prompt_batch_ask(&c->batch, p, p->points - 1, context_tokens(&c->o));
        return p->n;
    }
    for (size_t i = 0; i < p->n; i++) R += prompt_rows_ask_answer(&c->batch.rows, R, i, p, i);
    return R;
}

/* Under setup.choice. A method that edits every token has contexts of its own for every choice. */
static double loss_of_choice(struct choice_loss *c, const struct prompt_view *prompts,
                             const struct basis *basis, size_t R, double weight) {
    const struct params *p = c->o.setup->params;
    const struct query_rows rows = prompt_rows_of(&c->batch.rows, R);
    vector_pass_set(&c->pass, basis, c->w);
    if (is_text(&c->o)) c->pass.edits.index = rows.slot; /* tokens of an answer share a vector */
    if (c->o.setup->method->application.scope == EDIT_ALL) add_contexts(c, prompts, &c->pass.edits);
    vector_pass_run(&c->pass, &c->batch.context, &rows);
    return answer_loss_sum(&c->loss, &c->pass.query, p, &c->batch.rows, R, weight, false);
}

void choice_loss_add(double *losses, struct choice_loss *c, const struct prompt_view *prompts,
                     const struct prompt_view *bases, const struct basis *mean, double weight) {
    struct method_setup *setup = c->o.setup;
    const size_t choices = method_choices(setup), R = ask_answers(c, prompts);
    assert(prompts->n <= c->o.chunk && prompts->points == c->o.points);
    if (setup->method->application.scope != EDIT_ALL) add_contexts(c, prompts, NULL);
    const struct basis basis = basis_of(c, bases ? bases : prompts, mean);
    for (setup->choice = 0; setup->choice < choices; setup->choice++)
        losses[setup->choice] += loss_of_choice(c, prompts, &basis, R, weight);
    setup->choice = 0;
}

size_t choice_loss_least(const double *losses, size_t n) {
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (isfinite(losses[i]) && (best == n || losses[i] < losses[best])) best = i;
    return best;
}
