#include "passes/fit_data.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ops/vector_ops.h"
#include "passes/answer_loss.h"
#include "passes/fit_size.h"
#include "passes/teacher.h"
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
    struct prompt_batch contexts; /* own slots: none if contexts are cached, else [batch] */
    struct prompt_batch bases; /* of text, while the basis is collected: slots and rows [batch] */
    struct fit_shard *shards;  /* [count] the cached contexts */
    struct vector_pass pass;
    struct basis_set basis;       /* of each sample by its slot; or the mean alone */
    float *gathered[BASIS_PARTS]; /* [blocks, rows, E] the basis of a pass */
    struct answer_loss loss;
    size_t R;               /* rows of the last pass */
    uint32_t *rows, *local; /* [batch] samples of a pass; [rows] where their basis is */
    struct arena memory;
};

/* Index of sample i among those of this rank. */
static size_t slot_of(const struct fit_data *d, size_t i) {
    return (i % d->o.shards - d->first) * d->each + i / d->o.shards;
}

/* ---- memory */

static enum err_code create_rows(struct fit_data *d, struct err *err) {
    size_t B = fit_size_rows(&d->o);
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
        context_open(&like, m, d->each, fit_size_tokens(&d->o), d->o.contexts, NULL);
        shard->shared =
            shared_contexts_hold(&shard->context, &shard->complete, d->o.share, &like, &samples);
        if (!shard->shared)
            TRY(context_create(&shard->context, m, d->each, fit_size_tokens(&d->o), d->o.contexts,
                               err));
    }
cleanup:
    return rc;
}

static enum err_code create_buffers(struct fit_data *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = d->o.setup->params;
    const struct model_dims *m = &p->dims;
    const struct vector_pass_size size = fit_size_pass(&d->o);
    TRY(create_rows(d, err));
    fit_size_lay_out(d->gathered, &d->memory, &d->o, m);
    TRY(arena_commit(&d->memory, err));
    fit_size_lay_out(d->gathered, &d->memory, &d->o, m);
    d->cached = fit_data_cached_bytes(&d->o, m, d->count) <= d->o.memory;
    if (d->cached) TRY(create_shards(d, err));
    const struct prompt_batch_options batch = fit_size_batch(&d->o, m, d->cached ? 0 : d->o.batch);
    TRY(prompt_batch_create(&d->contexts, &batch, err));
    prompt_batch_begin(&d->contexts, p, NULL);
    TRY(vector_pass_create_long(&d->pass, d->o.setup, &size, err));
    TRY(answer_loss_create(&d->loss, m, &d->o.loss, fit_size_rows(&d->o), err));
    TRY(basis_set_create(&d->basis, m, fit_size_parts(&d->o), fit_size_basis_rows(&d->o, d->count),
                         err));
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

/* The rows of sample i of the pass, from row `row` on, with queries at points at[n_at], or of text
 * one for each token of its answer. Returns the row after them. */
static size_t prepare_sample(struct fit_data *d, size_t row, size_t i, const size_t *at,
                             size_t n_at) {
    const size_t sample = d->rows[i];
    if (!fit_size_is_text(&d->o)) {
        for (size_t j = 0; j < n_at; j++) prepare_row(d, row + j, i, at[j], 2 * at[j]);
        return row + n_at;
    }
    const struct prompt_view *p = &d->o.prompts;
    const struct prompt_seat at_end = {d->cached ? sample / d->o.shards : i, 0};
    size_t n = 1;
    if (d->o.first_token)
        prompt_rows_ask(&d->contexts.rows, row, at_end, p, sample, p->points - 1);
    else
        n = prompt_rows_ask_answer(&d->contexts.rows, row, at_end.slot, p, sample);
    for (size_t j = 0; j < n; j++) d->local[row + j] = (uint32_t)slot_of(d, sample);
    return row + n;
}

/* n samples, their contexts filled unless they are cached. Returns the number of rows. */
static size_t prepare(struct fit_data *d, size_t n, const size_t *at, size_t n_at) {
    size_t R = 0;
    for (size_t i = 0; i < n; i++) {
        R = prepare_sample(d, R, i, at, n_at);
        if (!d->cached) fill_slot(d, i, d->rows[i]);
    }
    prompt_batch_finish(&d->contexts);
    return R;
}

/* Adds the basis of those rows that the mean is over to sum, in their order. */
static void add_to_mean(double *sum, const struct fit_data *d, size_t R, enum basis_pass pass) {
    for (size_t r = 0; r < R; r++)
        if (d->rows[r] < d->o.averaged) basis_set_add(sum, &d->basis, &d->pass.query, r, pass);
}

/* Basis of the R samples in d->rows, whose rows in `of` are prepared and whose slots are
 * consecutive. */
static void take_pass(struct fit_data *d, const struct prompt_batch *of, double *sum, size_t R,
                      enum basis_pass pass) {
    const struct query_rows rows = prompt_rows_of(&of->rows, R);
    query_forward(&d->pass.query, d->o.setup->params, &of->context, &rows, &(struct edits){0});
    if (d->o.mean)
        add_to_mean(sum, d, R, pass);
    else
        basis_set_take(&d->basis, slot_of(d, d->rows[0]), &d->pass.query, R, pass);
}

/* Of text: from the basis prompts of these samples. */
static void take_text_basis(struct fit_data *d, double *sum, size_t R) {
    const struct prompt_view *p = &d->o.basis_prompts;
    for (size_t r = 0; r < R; r++) {
        const size_t sample = d->rows[r], points = p->points;
        prompt_batch_add(&d->bases, r, p, sample, (struct prompt_span){.pairs = points - 1});
        prompt_rows_ask(&d->bases.rows, r, (struct prompt_seat){r, 0}, p, sample, points - 1);
    }
    prompt_batch_finish(&d->bases);
    take_pass(d, &d->bases, sum, R, BASIS_PASS_WHOLE);
}

static void take_basis(struct fit_data *d, double *sum, size_t R) {
    const size_t at = d->o.basis_points - 1;
    const unsigned parts = fit_size_parts(&d->o);
    if (d->o.mean && d->rows[0] >= d->o.averaged) return; /* as are all after it */
    if (fit_size_is_text(&d->o)) {
        take_text_basis(d, sum, R);
        return;
    }
    (void)prepare(d, R, &at, 1);
    if (basis_pass_needed(parts, BASIS_PASS_WHOLE))
        take_pass(d, &d->contexts, sum, R, BASIS_PASS_WHOLE);
    if (!basis_pass_needed(parts, BASIS_PASS_ALONE)) return;
    for (size_t r = 0; r < R; r++) prepare_row(d, r, r, at, 0);
    take_pass(d, &d->contexts, sum, R, BASIS_PASS_ALONE);
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
    return d->cached ? !d->shards[s].complete : fit_size_parts(&d->o) != 0;
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
    if (is_filled(d, s) && !fit_size_parts(&d->o)) return ERR_OK;
    for (size_t i = d->first + s; i < n; i += d->o.shards) {
        if (!is_filled(d, s)) fill_slot(d, i / d->o.shards, i);
        d->made += is_made_here(d, s);
        TRY(report_loading(d, i, err));
        d->rows[R++] = (uint32_t)i;
        if (R < d->o.batch && i + d->o.shards < n) continue;
        prompt_batch_finish(&d->contexts);
        if (fit_size_parts(&d->o)) take_basis(d, sum, R);
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
    basis_set_mean(&d->basis, sums, d->o.averaged);
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

static enum err_code create_bases(struct fit_data *d, struct err *err) {
    const struct prompt_batch_options bases = fit_size_bases(&d->o, &d->o.setup->params->dims);
    const enum err_code rc = prompt_batch_create(&d->bases, &bases, err);
    if (rc == ERR_OK) prompt_batch_begin(&d->bases, d->o.setup->params, NULL);
    return rc;
}

enum err_code fit_data_create(struct fit_data **out, const struct fit_data_options *o,
                              struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_data *d = calloc(1, sizeof *d);
    CHECK(d, ERR_MEMORY, "no memory for the data of a fit");
    assert(o->shards >= 1 && o->batch >= 1 && o->prompts.points >= 1);
    assert(!fit_size_parts(o) || o->basis_points >= 1);
    assert(o->n_lengths <= FIT_LENGTHS);
    *d = (struct fit_data){.o = *o, .ctx = ctx, .count = o->shards, .each = fit_size_samples(o)};
    if (ctx) job_shard_range(&d->first, &d->count, o->shards, ctx->group_rank, ctx->group_size);
    d->weights = method_weights(o->setup);
    d->n_at = fit_size_lengths(o);
    for (size_t j = 0; j < d->n_at; j++)
        d->at[j] = (o->n_lengths > 0 ? o->lengths[j] : o->prompts.points) - 1;
    TRY(create_buffers(d, err));
    find_part(d);
    if (fit_size_bases_bytes(o, &o->setup->params->dims) > 0) TRY(create_bases(d, err));
    TRY(load_shards(d, err));
    prompt_batch_destroy(&d->bases);
    *out = d;
    d = NULL;
cleanup:
    fit_data_destroy(d);
    return rc;
}

void fit_data_destroy(struct fit_data *d) {
    if (!d) return;
    basis_set_destroy(&d->basis);
    answer_loss_destroy(&d->loss);
    vector_pass_destroy(&d->pass);
    prompt_batch_destroy(&d->bases);
    prompt_batch_destroy(&d->contexts);
    for (size_t s = 0; d->shards && s < d->count; s++) context_destroy(&d->shards[s].context);
    free(d->shards);
    arena_release(&d->memory);
    free(d->rows);
    free(d);
}

double fit_data_part(const struct fit_data *d) { return d->part; }

const struct basis_set *fit_data_mean(const struct fit_data *d) {
    return fit_size_parts(&d->o) && d->o.mean ? &d->basis : NULL;
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

/* Forward pass of the n samples in d->rows with the vector of weights w, in d->R rows. */
static struct basis forward(struct fit_data *d, const float *w, size_t n) {
    d->R = prepare(d, n, d->at, d->n_at);
    struct basis b = basis_of(d, d->R);
    const struct query_rows rows = prompt_rows_of(&d->contexts.rows, d->R);
    vector_pass_set(&d->pass, &b, w);
    vector_pass_run(&d->pass, &d->contexts.context, &rows);
    return b;
}

/* Loss of the n samples in d->rows and its gradient; dw NULL: no gradient. */
static double pass(float *dw, struct fit_data *d, const float *w, size_t n, double weight) {
    struct basis b = forward(d, w, n);
    const struct query_rows rows = prompt_rows_of(&d->contexts.rows, d->R);
    if (d->o.teacher) teacher_gather(d->loss.taught, d->o.teacher, d->local, d->R);
    const double loss =
        answer_loss_sum(&d->loss, &d->pass.query, d->o.setup->params, &d->contexts.rows, d->R,
                        weight / (double)d->n_at, dw != NULL);
    if (dw) vector_pass_backward(dw, &d->pass, &d->contexts.context, &rows, &b, d->loss.gradient);
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
    assert(d->o.shards == 1 && n <= d->o.batch && d->n_at == 1 && !fit_size_is_text(&d->o));
    memcpy(d->rows, rows, n * sizeof *rows);
    (void)forward(d, w, n);
    const size_t numbers = d->pass.v_rows * method_values(d->o.setup);
    if (v) memcpy(v, d->pass.v, numbers * sizeof *v);
    if (prediction) memcpy(prediction, d->pass.query.prediction, n * sizeof *prediction);
}
