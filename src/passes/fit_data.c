#include "passes/fit_data.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_set.h"
#include "ops/vector_ops.h"
#include "sources/prompt_batch.h"

enum { REPORT_EVERY = 16 };

struct fit_shard {          /* contexts of a shard, sample i in slot i / shards */
    struct context context; /* own memory, or that of the shared cache */
    bool shared, complete;  /* complete: an earlier job has filled it */
};

struct fit_data {
    struct fit_data_options o;
    struct job_ctx *ctx; /* NULL: a single process */
    size_t first, count; /* shards of this rank */
    size_t each;         /* samples of a shard, rounded up: slots per shard */
    size_t weights;
    size_t at[FIT_LENGTHS], n_at; /* points of a sample's queries, from 0 */
    size_t made, to_make;         /* contexts of this rank */
    double part;                  /* of the job's work that making them is */
    bool cached;
    struct prompt_batch
        contexts;             /* its own slots: none if contexts are cached, otherwise [batch] */
    struct fit_shard *shards; /* [count] the cached contexts */
    struct vector_pass pass;
    struct basis_set basis;       /* of each sample by its slot; or the mean alone */
    float *gathered[BASIS_PARTS]; /* [blocks, rows, E] the basis of a pass */
    float *dprediction;           /* [rows] */
    uint32_t *rows, *local;       /* [batch] samples of a pass; [rows] where their basis is */
    struct arena memory;
};

static size_t shard_samples(const struct fit_data_options *o) {
    return (o->prompts.n + o->shards - 1) / o->shards;
}

static size_t sample_rows(const struct fit_data_options *o) {
    return o->n_lengths > 0 ? o->n_lengths : 1;
}

/* Most rows of a pass. */
static size_t rows_most(const struct fit_data_options *o) { return o->batch * sample_rows(o); }

static size_t context_tokens(const struct fit_data_options *o) {
    return 2 * (o->prompts.points - 1);
}

static unsigned basis_parts(const struct fit_data_options *o) { return method_basis(o->setup); }

/* Index of sample i among those of this rank. */
static size_t slot_of(const struct fit_data *d, size_t i) {
    return (i % d->o.shards - d->first) * d->each + i / d->o.shards;
}

/* ---- memory */

static void lay_out(struct fit_data *d, const struct fit_data_options *o,
                    const struct model_dims *m) {
    const size_t B = rows_most(o);
    for (enum basis_part p = 0; p < BASIS_PARTS && !o->mean; p++)
        if (basis_parts(o) & basis_bit(p))
            d->gathered[p] = arena_floats(&d->memory, basis_blocks(p, m) * B * basis_width(p, m));
    d->dprediction = arena_floats(&d->memory, B);
}

static struct prompt_batch_options batch_options(const struct fit_data_options *o,
                                                 const struct model_dims *m, size_t slots) {
    return (struct prompt_batch_options){.dims = m,
                                         .slots = slots,
                                         .tokens = context_tokens(o),
                                         .rows = rows_most(o),
                                         .contexts = o->contexts};
}

size_t fit_data_cached_bytes(const struct fit_data_options *o, const struct model_dims *dims,
                             size_t count) {
    const struct prompt_batch_options shard = batch_options(o, dims, shard_samples(o));
    return count * prompt_batch_context_bytes(&shard);
}

size_t fit_data_pass_bytes(const struct fit_data_options *o, const struct model_dims *dims) {
    const struct prompt_batch_options pass = batch_options(o, dims, o->batch);
    return prompt_batch_context_bytes(&pass);
}

/* Rows of the basis: all samples of a rank, or the mean alone. */
static size_t basis_slots(const struct fit_data_options *o, size_t count) {
    return o->mean ? 1 : count * shard_samples(o);
}

size_t fit_data_bytes(const struct fit_data_options *o, const struct model_dims *dims,
                      size_t count) {
    struct fit_data d = {0};
    const struct prompt_batch_options pass = batch_options(o, dims, o->batch);
    lay_out(&d, o, dims);
    return d.memory.used + prompt_batch_bytes(&pass) +
           vector_pass_bytes(o->setup, rows_most(o), context_tokens(o), true) +
           basis_set_bytes(dims, basis_parts(o), basis_slots(o, count));
}

static enum err_code create_rows(struct fit_data *d, struct err *err) {
    size_t B = rows_most(&d->o);
    d->rows = calloc(2 * B, sizeof *d->rows);
    if (!d->rows) return ERR(err, ERR_MEMORY, "no memory for %zu rows", B);
    d->local = d->rows + B;
    return ERR_OK;
}

/* Samples first, first + shards, ... of the shard in slots 0, 1, ... */
static struct shared_prompts samples_of(const struct fit_data *d, size_t first) {
    const size_t n = d->o.prompts.n, S = d->o.shards;
    return (struct shared_prompts){.prompts = &d->o.prompts,
                                   .first = first,
                                   .step = S,
                                   .n = first < n ? (n - first + S - 1) / S : 0,
                                   .span = {.pairs = d->o.prompts.points - 1}};
}

/* Cached contexts of every shard: in the shared cache if it has room for them. */
static enum err_code create_shards(struct fit_data *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *m = &d->o.setup->params->dims;
    d->shards = calloc(d->count + 1, sizeof *d->shards);
    CHECK(d->shards, ERR_MEMORY, "no memory for %zu shards", d->count);
    for (size_t s = 0; s < d->count; s++) {
        struct fit_shard *shard = &d->shards[s];
        const struct shared_prompts samples = samples_of(d, d->first + s);
        struct context like;
        context_open(&like, m, d->each, context_tokens(&d->o), d->o.contexts, NULL);
        shard->shared =
            shared_contexts_hold(&shard->context, &shard->complete, d->o.share, &like, &samples);
        if (!shard->shared)
            TRY(context_create(&shard->context, m, d->each, context_tokens(&d->o), d->o.contexts,
                               err));
    }
cleanup:
    return rc;
}

static enum err_code create_buffers(struct fit_data *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = d->o.setup->params;
    const struct model_dims *m = &p->dims;
    TRY(create_rows(d, err));
    lay_out(d, &d->o, m);
    TRY(arena_commit(&d->memory, err));
    lay_out(d, &d->o, m);
    d->cached = fit_data_cached_bytes(&d->o, m, d->count) <= d->o.memory;
    if (d->cached) TRY(create_shards(d, err));
    const struct prompt_batch_options batch = batch_options(&d->o, m, d->cached ? 0 : d->o.batch);
    TRY(prompt_batch_create(&d->contexts, &batch, err));
    prompt_batch_begin(&d->contexts, p, NULL);
    TRY(vector_pass_create(&d->pass, d->o.setup, rows_most(&d->o), batch.tokens, true, err));
    TRY(basis_set_create(&d->basis, m, basis_parts(&d->o), basis_slots(&d->o, d->count), err));
cleanup:
    return rc;
}

/* ---- contexts and basis */

static void fill_slot(struct fit_data *d, size_t slot, size_t sample) {
    const struct prompt_span all = {.pairs = d->o.prompts.points - 1};
    prompt_batch_add(&d->contexts, slot, &d->o.prompts, sample, all);
}

/* Row `row`: sample i of the pass, its query at point k, which sees `length` tokens. */
static void prepare_row(struct fit_data *d, size_t row, size_t i, size_t k, size_t length) {
    const size_t sample = d->rows[i];
    const struct prompt_seat at = {d->cached ? sample / d->o.shards : i, length};
    d->local[row] = (uint32_t)slot_of(d, sample);
    prompt_rows_ask(&d->contexts.rows, row, at, &d->o.prompts, sample, k);
}

/* n samples, their contexts filled unless they are cached, each with queries at points at[n_at] in
 * adjacent rows. */
static void prepare(struct fit_data *d, size_t n, const size_t *at, size_t n_at) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n_at; j++) prepare_row(d, i * n_at + j, i, at[j], 2 * at[j]);
        if (!d->cached) fill_slot(d, i, d->rows[i]);
    }
    prompt_batch_finish(&d->contexts);
}

/* Adds the basis of those rows that are training samples to sum, in their order. */
static void add_to_mean(double *sum, const struct fit_data *d, size_t R, enum basis_pass pass) {
    for (size_t r = 0; r < R; r++)
        if (d->rows[r] < d->o.train) basis_set_add(sum, &d->basis, &d->pass.query, r, pass);
}

/* Basis of the R samples in d->rows, whose rows are prepared and whose slots are consecutive. */
static void take_pass(struct fit_data *d, double *sum, size_t R, enum basis_pass pass) {
    const struct query_rows rows = prompt_rows_of(&d->contexts.rows, R);
    query_forward(&d->pass.query, d->o.setup->params, &d->contexts.context, &rows,
                  &(struct edits){0});
    if (d->o.mean)
        add_to_mean(sum, d, R, pass);
    else
        basis_set_take(&d->basis, d->local[0], &d->pass.query, R, pass);
}

static void take_basis(struct fit_data *d, double *sum, size_t R) {
    const size_t at = d->o.basis_points - 1;
    const unsigned parts = basis_parts(&d->o);
    prepare(d, R, &at, 1);
    if (basis_pass_needed(parts, BASIS_PASS_WHOLE)) take_pass(d, sum, R, BASIS_PASS_WHOLE);
    if (!basis_pass_needed(parts, BASIS_PASS_ALONE)) return;
    for (size_t r = 0; r < R; r++) prepare_row(d, r, r, at, 0);
    take_pass(d, sum, R, BASIS_PASS_ALONE);
}

/* Called every few samples while contexts are computed, which may take minutes. A group does not
 * stop here: all its ranks stop together at the next update. */
static enum err_code report_loading(struct fit_data *d, size_t sample, struct err *err) {
    if (!d->ctx || (sample / d->o.shards) % REPORT_EVERY != 0) return ERR_OK;
    if (d->ctx->group_size == 1 && job_should_stop(d->ctx))
        return ERR(err, ERR_STOPPED, "stopped before the first update");
    const double done = d->to_make > 0 ? (double)d->made / (double)d->to_make : 0;
    return job_progress(d->ctx, d->part * done, 1, err);
}

/* The passes that follow read the cached contexts of shard first + s. */
static void use_shard(struct fit_data *d, size_t s) {
    if (d->cached) prompt_batch_use(&d->contexts, &d->shards[s].context);
}

static bool is_filled(const struct fit_data *d, size_t s) {
    return !d->cached || d->shards[s].complete;
}

/* fit_data_create() makes the contexts of shard first + s, to cache them or to take their basis. */
static bool is_made_here(const struct fit_data *d, size_t s) {
    return d->cached ? !d->shards[s].complete : basis_parts(&d->o) != 0;
}

/* If an earlier job left contexts, fewer are made, and the part of the rest of the job grows. */
static void find_part(struct fit_data *d) {
    const size_t n = d->o.prompts.n, S = d->o.shards;
    size_t all = 0;
    for (size_t s = 0; s < d->count; s++) {
        const size_t first = d->first + s, of_shard = first < n ? (n - first + S - 1) / S : 0;
        all += of_shard;
        if (is_made_here(d, s)) d->to_make += of_shard;
    }
    const double made = all > 0 ? (double)d->to_make / (double)all : 0;
    const double ratio = made * d->o.part / (1 - d->o.part); /* to the work that follows */
    d->part = ratio / (1 + ratio);
}

/* Cached contexts and basis of shard first + s, in passes of `batch` samples. */
static enum err_code load_shard(struct fit_data *d, size_t s, double *sum, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n = d->o.prompts.n, R = 0;
    use_shard(d, s);
    if (is_filled(d, s) && !basis_parts(&d->o)) return ERR_OK;
    for (size_t i = d->first + s; i < n; i += d->o.shards) {
        if (!is_filled(d, s)) fill_slot(d, i / d->o.shards, i);
        d->made += is_made_here(d, s);
        TRY(report_loading(d, i, err));
        d->rows[R++] = (uint32_t)i;
        if (R < d->o.batch && i + d->o.shards < n) continue;
        prompt_batch_finish(&d->contexts);
        if (basis_parts(&d->o)) take_basis(d, sum, R);
        R = 0;
    }
    if (d->cached && d->shards[s].shared)
        shared_contexts_complete(d->o.share, &d->shards[s].context);
cleanup:
    return rc;
}

static enum err_code finish_mean(struct fit_data *d, double *sums, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = basis_set_floats(&d->basis);
    double *scratch = sums + n * (d->count > 0 ? d->count : 1);
    if (d->ctx)
        TRY(job_reduce_real(d->ctx, sums, scratch, n, d->o.shards, err));
    else
        assert(d->o.shards == 1);
    basis_set_mean(&d->basis, sums, d->o.train);
cleanup:
    return rc;
}

static enum err_code load_shards(struct fit_data *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = d->o.mean ? basis_set_floats(&d->basis) : 0,
                 sums = d->count > 0 ? d->count : 1;
    double *sum = calloc((sums + 1) * n + 1, sizeof *sum);
    CHECK(sum, ERR_MEMORY, "no memory for %zu sums", (sums + 1) * n);
    for (size_t s = 0; s < d->count; s++) TRY(load_shard(d, s, sum + s * n, err));
    if (n > 0) TRY(finish_mean(d, sum, err));
cleanup:
    free(sum);
    return rc;
}

enum err_code fit_data_create(struct fit_data **out, const struct fit_data_options *o,
                              struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_data *d = calloc(1, sizeof *d);
    CHECK(d, ERR_MEMORY, "no memory for the data of a fit");
    assert(o->shards >= 1 && o->batch >= 1 && o->prompts.points >= 1);
    assert(!basis_parts(o) || o->basis_points >= 1);
    assert(o->n_lengths <= FIT_LENGTHS);
    *d = (struct fit_data){.o = *o, .ctx = ctx, .count = o->shards, .each = shard_samples(o)};
    if (ctx) job_shard_range(&d->first, &d->count, o->shards, ctx->group_rank, ctx->group_size);
    d->weights = method_weights(o->setup);
    d->n_at = sample_rows(o);
    for (size_t j = 0; j < d->n_at; j++)
        d->at[j] = (o->n_lengths > 0 ? o->lengths[j] : o->prompts.points) - 1;
    TRY(create_buffers(d, err));
    find_part(d);
    TRY(load_shards(d, err));
    *out = d;
    d = NULL;
cleanup:
    fit_data_destroy(d);
    return rc;
}

void fit_data_destroy(struct fit_data *d) {
    if (!d) return;
    basis_set_destroy(&d->basis);
    vector_pass_destroy(&d->pass);
    prompt_batch_destroy(&d->contexts);
    for (size_t s = 0; d->shards && s < d->count; s++) context_destroy(&d->shards[s].context);
    free(d->shards);
    arena_release(&d->memory);
    free(d->rows);
    free(d);
}

double fit_data_part(const struct fit_data *d) { return d->part; }

const struct basis_set *fit_data_mean(const struct fit_data *d) {
    return basis_parts(&d->o) && d->o.mean ? &d->basis : NULL;
}

/* ---- passes */

/* The basis of the rows of a pass: the mean, or their own, gathered. */
static struct basis basis_of(struct fit_data *d, size_t R) {
    const struct basis_set *s = &d->basis;
    struct basis b = {.R = R, .stride = R};
    if (d->o.mean && s->parts) return basis_set_view(s, 0, 1);
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const size_t width = basis_width(p, &s->dims);
        for (size_t i = 0; s->part[p] && i < basis_blocks(p, &s->dims); i++)
            rows_gather(d->gathered[p] + i * R * width, s->part[p] + i * s->n * width, d->local, R,
                        width);
        b.part[p] = d->gathered[p];
    }
    return b;
}

/* Forward pass of the n samples in d->rows with the vector of weights w. */
static struct basis forward(struct fit_data *d, const float *w, size_t n) {
    const size_t R = n * d->n_at;
    prepare(d, n, d->at, d->n_at);
    struct basis b = basis_of(d, R);
    const struct query_rows rows = prompt_rows_of(&d->contexts.rows, R);
    vector_pass_set(&d->pass, &b, w);
    vector_pass_run(&d->pass, &d->contexts.context, &rows);
    return b;
}

static double loss_of(struct fit_data *d, size_t R, double weight) {
    const float *prediction = d->pass.query.prediction;
    memset(d->dprediction, 0, R * sizeof *d->dprediction);
    return prompt_loss_sum(d->dprediction, &d->o.loss, prediction, d->contexts.rows.target, weight,
                           R);
}

/* Loss of the n samples in d->rows and its gradient; dw NULL: no gradient. */
static double pass(float *dw, struct fit_data *d, const float *w, size_t n, double weight) {
    const size_t R = n * d->n_at;
    struct basis b = forward(d, w, n);
    double loss = loss_of(d, R, weight / (double)d->n_at);
    const struct query_rows rows = prompt_rows_of(&d->contexts.rows, R);
    if (dw) vector_pass_backward(dw, &d->pass, &d->contexts.context, &rows, &b, d->dprediction);
    return loss;
}

void fit_data_pass(double *loss, float *dw, struct fit_data *d, const float *w,
                   const uint32_t *rows, size_t n, double weight) {
    for (size_t s = 0; s < d->count; s++) {
        float *dw_s = dw ? dw + s * d->weights : NULL;
        size_t R = 0;
        loss[s] = 0;
        if (dw_s) memset(dw_s, 0, d->weights * sizeof *dw_s);
        for (size_t i = 0; i < n; i++)
            if (rows[i] % d->o.shards == d->first + s) d->rows[R++] = rows[i];
        assert(R <= d->o.batch);
        use_shard(d, s);
        if (R > 0) loss[s] = pass(dw_s, d, w, R, weight);
    }
}

void fit_data_predict(float *v, float *prediction, struct fit_data *d, const float *w,
                      const uint32_t *rows, size_t n) {
    assert(d->o.shards == 1 && n <= d->o.batch && d->n_at == 1);
    memcpy(d->rows, rows, n * sizeof *rows);
    (void)forward(d, w, n);
    const size_t numbers = d->pass.v_rows * method_values(d->o.setup);
    if (v) memcpy(v, d->pass.v, numbers * sizeof *v);
    if (prediction) memcpy(prediction, d->pass.query.prediction, n * sizeof *prediction);
}
