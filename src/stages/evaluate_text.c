#include "stages/evaluate_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stages/capture_prompts.h"
#include "stages/evaluate_text_prompts.h"
#include "stages/evaluate_text_scores.h"
#include "stages/evaluated_method.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

struct text_evaluation {
    struct job_ctx *ctx;
    struct model model;
    struct context_share share;
    struct evaluated_method method;
    struct evaluate_text_prompts prompts;
    struct prompt_batch batch; /* slots: [chunk]; rows: of a chunk */
    struct vector_pass pass;
    struct basis_collector *collector; /* of own basis prompts, or NULL */
    struct basis_set basis;            /* [chunk] of these */
    struct evaluate_text_scores scores;
    struct rng stream;           /* of a control's draws */
    float *remade;               /* [edits, chunk, E] edit values that a control replaces */
    struct capture_prompts kept; /* if they are kept: those of the items so far */
    size_t first;                /* sample number that the chunk begins with */
    bool asks;                   /* its bases are there */
    struct err failure;          /* while contexts are made; code ERR_OK: none */
};

static void text_evaluation_release(struct text_evaluation *e) {
    capture_prompts_destroy(&e->kept);
    free(e->remade);
    evaluate_text_scores_destroy(&e->scores);
    basis_set_destroy(&e->basis);
    vector_pass_destroy(&e->pass);
    basis_collector_destroy(e->collector);
    prompt_batch_destroy(&e->batch);
    evaluate_text_prompts_close(&e->prompts);
    evaluated_method_close(&e->method);
    model_close(&e->model);
}

/* ---- memory */

static enum err_code open_text(struct text_evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_ctx *ctx = e->ctx;
    struct evaluate_text_prompts *t = &e->prompts;
    struct evaluate_text_basis basis;
    TRY(job_model_open(&e->model, ctx, err));
    TRY(evaluated_method_open(&e->method, ctx, &e->model.params, err));
    const struct config_point *fit = e->method.fit ? e->method.fit->point : NULL;
    TRY(evaluate_text_basis_find(&basis, ctx->point, fit, e->model.trained_points, &e->model.params,
                                 err));
    TRY(evaluate_text_prompts_open(t, ctx->point, ctx->seed, &e->model.params.dims, &basis, err));
    TRY(source_reserve(t->source, t->chunk, t->points, err));
    if (t->basis) TRY(source_reserve(t->basis, t->chunk, t->T0, err));
    if (t->alone) TRY(source_reserve(t->alone, t->chunk, 1, err));
    if (t->keeps)
        TRY(capture_prompts_create(&e->kept, source_info(t->source), &t->lengths, t->items,
                                   t->points, CAPTURE_QUERY, err));
    e->stream = evaluated_method_stream(&e->method, ctx->seed, source_info(t->source)->name);
cleanup:
    return rc;
}

static enum err_code create_bases(struct text_evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct evaluate_text_prompts *t = &e->prompts;
    const struct method_setup *setup = &e->method.fitted.setup;
    const struct basis_size size = evaluate_text_bases(t);
    TRY(basis_set_create(&e->basis, &e->model.params.dims, method_basis(setup), t->chunk, err));
    TRY(method_collector_create(&e->collector, setup, e->method.fitted.w, &size, t->chunk,
                                t->contexts, err));
    basis_collector_share(e->collector, e->batch.share);
    basis_collector_watch(e->collector, e->batch.watch);
cleanup:
    return rc;
}

static bool is_remade(const struct text_evaluation *e) {
    return e->method.control && e->method.control->control.redraw;
}

/* The contexts of a chunk take most of its time, with a large model many minutes. */
static bool report_contexts(void *of, size_t prompts) {
    struct text_evaluation *e = of;
    const double part = (double)prompts / (e->prompts.basis ? 2 : 1),
                 before = e->asks && e->prompts.basis ? (double)e->prompts.chunk / 2 : 0,
                 done = (double)e->first + before + part, items = (double)e->prompts.items;
    if (job_should_stop(e->ctx))
        (void)ERR(&e->failure, ERR_STOPPED, "stopped after %zu items", e->first);
    else
        (void)job_progress(e->ctx, fmin(done, items), items, &e->failure);
    return e->failure.code == ERR_OK;
}

static enum err_code create_text_buffers(struct text_evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct evaluate_text_prompts *t = &e->prompts;
    const struct method_setup *setup = &e->method.fitted.setup;
    const struct model_dims *d = &e->model.params.dims;
    const struct vector_pass_size pass = evaluate_text_pass(t);
    struct prompt_batch_options batch = evaluate_text_batch(t, d);
    const struct evaluate_text_sizes sizes = {t->items, batch.rows};
    batch.share = job_model_share(&e->share, e->ctx, &e->model);
    batch.watch = (struct prompt_batch_watch){report_contexts, e};
    TRY(prompt_batch_create(&e->batch, &batch, err));
    if (t->basis) TRY(create_bases(e, err));
    TRY(vector_pass_create_long(&e->pass, setup, &pass, err));
    TRY(evaluate_text_scores_create(&e->scores, d, &sizes, err));
    e->remade =
        is_remade(e) ? calloc(method_edits_most(setup) * t->chunk * d->E, sizeof *e->remade) : NULL;
    CHECK(e->remade || !is_remade(e), ERR_MEMORY, "no memory for the vectors of %zu items",
          t->items);
cleanup:
    return rc;
}

/* ---- items */

/* The sample whose basis prompt serves row i of the asked prompts. */
static size_t basis_sample(const struct text_evaluation *e, size_t i) {
    const size_t own = (size_t)source_question(e->prompts.source, i).sample;
    return method_basis_of(e->method.control, own, e->prompts.items);
}

/* The queries of the basis prompts of a run without shots, which are shorter, so they fit too. */
static enum err_code draw_alone(struct prompt_view *run, struct source *alone, size_t sample,
                                struct err *err) {
    const struct prompt_view view = source_draw(alone, sample, run->n);
    run->text.alone_ids = view.text.ids;
    run->text.alone_first = view.text.first;
    return source_status(alone, err);
}

/* Rows i .. of the basis, up to n, whose samples follow one another. Returns the row after them in
 * *i. */
static enum err_code collect_run(struct text_evaluation *e, size_t *i, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t first = *i, sample = basis_sample(e, first);
    for (*i = first + 1; *i < n && basis_sample(e, *i) == sample + (*i - first);) ++*i;
    struct prompt_view run = source_draw(e->prompts.basis, sample, *i - first);
    TRY(source_status(e->prompts.basis, err));
    if (e->prompts.alone) TRY(draw_alone(&run, e->prompts.alone, sample, err));
    CHECK(run.n == *i - first, ERR_DATA, "the basis prompt of item %zu does not fit the model",
          sample);
    basis_collector_run_at(&e->basis, first, e->collector, &e->model.params, &run);
    if (e->failure.code != ERR_OK) *err = e->failure;
    rc = e->failure.code;
cleanup:
    return rc;
}

/* *out: the bases of the n prompts of the last draw, or the mean basis of the fit, or an empty
 * basis if the method needs none. */
static enum err_code find_text_basis(struct basis *out, struct text_evaluation *e, size_t n,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    *out = (struct basis){0};
    if (e->method.fitted.has_mean) *out = basis_set_view(&e->method.fitted.mean, 0, 1);
    if (!e->prompts.basis) return ERR_OK;
    for (size_t i = 0; i < n;) TRY(collect_run(e, &i, n, err));
    *out = basis_set_view(&e->basis, 0, n);
cleanup:
    return rc;
}

static void set_vectors(struct text_evaluation *e, const struct basis *basis, size_t n) {
    const struct method_redraw of = {n, e->model.params.dims.E, &e->stream, e->scores.n};
    vector_pass_set(&e->pass, basis, e->method.fitted.w);
    if (is_remade(e))
        e->method.control->control.redraw(e->pass.items, e->pass.edits.n, e->remade, &of);
}

static enum err_code fill_contexts(struct text_evaluation *e, const struct prompt_view *view,
                                   struct err *err) {
    e->asks = true;
    prompt_batch_begin(&e->batch, &e->model.params, &e->pass.edits);
    if (prompt_batch_fill(&e->batch, view, (struct prompt_span){.pairs = view->points - 1}))
        return ERR_OK;
    *err = e->failure;
    return err->code;
}

static enum err_code score_prompts(struct text_evaluation *e, const struct prompt_view *view,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = &e->model.params;
    struct prompt_rows *all = &e->batch.rows;
    size_t R = 0;
    TRY(fill_contexts(e, view, err));
    for (size_t i = 0; i < view->n; i++) R += prompt_rows_ask_answer(all, R, i, view, i);
    const struct query_rows rows = prompt_rows_of(all, R);
    e->pass.edits.index = rows.slot; /* all tokens of an answer share the vector of its prompt */
    vector_pass_run(&e->pass, &e->batch.context, &rows);
    TRY(evaluate_text_scores_take(&e->scores, e->prompts.source, &e->pass.query, p, all, R, err));
cleanup:
    return rc;
}

/* Samples e->first .. e->first + n - 1. */
static enum err_code evaluate_items(struct text_evaluation *e, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct basis basis;
    struct source *source = e->prompts.source;
    const struct prompt_view view = source_draw(source, e->first, n);
    TRY(source_status(source, err));
    if (view.n == 0) goto cleanup;
    e->asks = false;
    TRY(find_text_basis(&basis, e, view.n, err));
    set_vectors(e, &basis, view.n);
    if (e->prompts.keeps) TRY(capture_prompts_take(&e->kept, e->scores.n, source, &view, err));
    TRY(score_prompts(e, &view, err));
cleanup:
    return rc;
}

static enum err_code evaluate_all_items(struct text_evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t items = e->prompts.items, chunk = e->prompts.chunk;
    for (e->first = 0; e->first < items; e->first += chunk) {
        const size_t n = items - e->first < chunk ? items - e->first : chunk;
        if (job_should_stop(e->ctx))
            return ERR(err, ERR_STOPPED, "stopped after %zu items", e->first);
        TRY(evaluate_items(e, n, err));
        TRY(job_progress(e->ctx, (double)(e->first + n), (double)items, err));
    }
cleanup:
    return rc;
}

/* ---- results */

static enum err_code write_text_results(struct text_evaluation *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_info *info = source_info(e->prompts.source);
    struct evaluate_text_row row = {
        .method = evaluated_method_name(&e->method),
        .reading = e->method.reading,
        .fit_points = evaluated_method_fit_points(&e->method),
        .repeat = evaluated_method_repeat(&e->method),
        .source = info->name,
        .shift = info->shift,
        .k = (int64_t)e->prompts.points - 1,
        .crossed = (int64_t)info->answers->crossed,
    };
    TRY(evaluate_text_scores_write(&e->scores, e->ctx, &row, &e->model.params, err));
    if (e->prompts.keeps) TRY(capture_prompts_write(&e->kept, e->ctx, e->scores.n, info, err));
    TRY(job_note(e->ctx, "method", evaluated_method_name(&e->method), err));
cleanup:
    return rc;
}

enum err_code evaluate_text_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_evaluation e = {.ctx = ctx};
    TRY(open_text(&e, err));
    TRY(create_text_buffers(&e, err));
    TRY(evaluate_all_items(&e, err));
    TRY(write_text_results(&e, err));
cleanup:
    text_evaluation_release(&e);
    return rc;
}

ROW_DEFINE(evaluate_text_row, EVALUATE_TEXT_ROW);
