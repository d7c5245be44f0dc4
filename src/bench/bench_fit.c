/*
 * bench fit - updates of a learnable task vector with cached contexts, in single and half
 * precision, and with contexts recomputed for every update; the time to fill the contexts, and 50
 * epochs with that time included.
 *
 * Contexts are filled as by a job of a rank whose memory is full of the contexts of earlier jobs:
 * in the block that the oldest of them leaves.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/bench_model.h"
#include "bench/flop_count.h"
#include "optim/adam.h"
#include "passes/fit_data.h"

enum { CACHED, PREFILL, EPOCHS, RECOMPUTED, HALVES, LINES };
enum { EPOCHS_COUNTED = 50 };

struct work {
    struct bench_model scene;
    struct fit_data_options options, few; /* all prompts, cached; a few, never cached */
    struct fit_data *cached, *halves, *recomputing;
    struct context_share share; /* of the contexts that are filled */
    unsigned fills;
    size_t weights;
    float *w, *g, *m, *v; /* [weights] */
    uint32_t *rows;       /* [prompts] */
    int64_t done;
};

static void fit_bench_close(void *state) {
    struct work *w = state;
    if (!w) return;
    fit_data_destroy(w->cached);
    fit_data_destroy(w->halves);
    fit_data_destroy(w->recomputing);
    context_cache_destroy(w->share.cache);
    free(w->rows);
    free(w->w);
    bench_model_release(&w->scene);
    free(w);
}

static struct fit_data_options options_of(const struct work *w, const struct bench_size *z,
                                          size_t n, size_t memory) {
    struct fit_data_options o = {.setup = &w->scene.ltv,
                                 .prompts = prompt_view_part(&w->scene.view, 0, n),
                                 .basis_points = z->trained_points,
                                 .averaged = n,
                                 .batch = z->batch < n ? z->batch : n,
                                 .shards = 1,
                                 .memory = memory,
                                 .loss = {.kind = LOSS_HUBER, .delta = 1}};
    return o;
}

static double bytes_when_cached(const struct fit_data_options *o, const struct bench_size *z) {
    return (double)(fit_data_bytes(o, &z->dims, 1) + fit_data_cached_bytes(o, &z->dims, 1));
}

static void describe(struct bench_line *lines, const struct work *w, const struct bench_size *z) {
    const struct model_dims *d = &z->dims;
    const double T = 2.0 * (double)(z->points - 1), seen = 2.0 * (double)(z->trained_points - 1);
    const double layers = 2.0 * (double)d->L - 1; /* read forward, and back but for the first */
    lines[CACHED] = (struct bench_line){.name = "cached", .unit = "prompts"};
    lines[CACHED].units = (double)w->options.prompts.n;
    lines[CACHED].flops =
        flop_count_query(d, T) + flop_count_query_backward(d, T) + 2 * flop_count_vector(d);
    lines[CACHED].bytes = flop_count_context_bytes(d, layers, T, sizeof(float));
    lines[CACHED].memory = bytes_when_cached(&w->options, z);
    lines[PREFILL] = (struct bench_line){.name = "prefill", .unit = "prompts"};
    lines[PREFILL].units = (double)w->few.prompts.n;
    lines[PREFILL].flops = flop_count_prefill(d, T) + flop_count_query(d, seen);
    lines[PREFILL].bytes = flop_count_context_bytes(d, (double)d->L, T, sizeof(float));
    lines[EPOCHS] = (struct bench_line){.name = "50 epochs", .unit = "prompts", .n_parts = 2};
    lines[EPOCHS].parts[0].line = CACHED;
    lines[EPOCHS].parts[0].share = 1;
    lines[EPOCHS].parts[1].line = PREFILL;
    lines[EPOCHS].parts[1].share = 1.0 / EPOCHS_COUNTED;
    lines[RECOMPUTED] = (struct bench_line){.name = "recomputed", .unit = "prompts"};
    lines[RECOMPUTED].units = (double)w->few.prompts.n;
    lines[RECOMPUTED].flops = lines[CACHED].flops + flop_count_prefill(d, T);
    lines[RECOMPUTED].bytes =
        lines[CACHED].bytes + flop_count_context_bytes(d, (double)d->L, T, sizeof(float));
    lines[HALVES] = lines[CACHED];
    lines[HALVES].name = "cached half";
    lines[HALVES].bytes = flop_count_context_bytes(d, layers, T, 2);
    lines[HALVES].memory = 0; /* counted in the line above */
}

static enum err_code create_weights(struct work *w, const struct bench_size *z, struct err *err) {
    w->weights = method_weights(&w->scene.ltv);
    w->w = calloc(4 * w->weights, sizeof *w->w);
    w->rows = calloc(z->prompts, sizeof *w->rows);
    if (!w->w || !w->rows) return ERR(err, ERR_MEMORY, "no memory for %zu weights", w->weights);
    w->g = w->w + w->weights;
    w->m = w->g + w->weights;
    w->v = w->m + w->weights;
    for (size_t i = 0; i < w->weights; i++) w->w[i] = 0.1F * (float)((int)(i % 5) - 2);
    for (size_t i = 0; i < z->prompts; i++) w->rows[i] = (uint32_t)i;
    return ERR_OK;
}

static enum err_code fit_bench_open(void **state, struct bench_line lines[BENCH_LINES], size_t *n,
                                    const struct bench_size *z, struct err *err) {
    enum err_code rc = ERR_OK;
    struct work *w = calloc(1, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for a bench");
    TRY(bench_model_init(&w->scene, z, z->prompts, z->points, err));
    TRY(create_weights(w, z, err));
    w->options = options_of(w, z, z->prompts, SIZE_MAX);
    w->few = options_of(w, z, z->few, 0);
    TRY(fit_data_create(&w->cached, &w->options, NULL, err));
    TRY(fit_data_create(&w->recomputing, &w->few, NULL, err));
    struct fit_data_options halves = w->options;
    halves.contexts = CONTEXT_HALF;
    TRY(fit_data_create(&w->halves, &halves, NULL, err));
    TRY(context_cache_create(&w->share.cache, NULL, err));
    describe(lines, w, z);
    *n = LINES;
    *state = w;
    w = NULL;
cleanup:
    fit_bench_close(w);
    return rc;
}

/* Every prompt once, in mini-batches. */
static void epoch(struct work *w, struct fit_data *data, const struct fit_data_options *o) {
    static const struct adam adam = {.beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-8F};
    for (size_t first = 0; first < o->prompts.n; first += o->batch) {
        const size_t left = o->prompts.n - first, rows = left < o->batch ? left : o->batch;
        double loss;
        fit_data_pass(&loss, w->g, data, w->w, w->rows + first, rows, 1 / (double)rows);
        adam_step(w->w, w->m, w->v, w->g, w->weights, &adam, 1e-4F, ++w->done);
    }
}

/* Contexts and basis of a few prompts, under a name that no earlier repeat has used. */
static enum err_code fill_contexts(struct work *w, struct err *err) {
    struct fit_data_options o = w->few;
    struct fit_data *made = NULL;
    o.memory = SIZE_MAX;
    o.share = &w->share;
    (void)snprintf(w->share.model, sizeof w->share.model, "model %u", ++w->fills);
    context_cache_begin(w->share.cache, "", fit_data_cached_bytes(&o, &w->scene.params.dims, 1));
    const enum err_code rc = fit_data_create(&made, &o, NULL, err);
    fit_data_destroy(made);
    context_cache_end(w->share.cache);
    return rc;
}

static enum err_code fit_bench_run(void *state, size_t line, struct err *err) {
    struct work *w = state;
    switch (line) {
    case CACHED:
        epoch(w, w->cached, &w->options);
        return ERR_OK;
    case HALVES:
        epoch(w, w->halves, &w->options);
        return ERR_OK;
    case RECOMPUTED:
        epoch(w, w->recomputing, &w->few);
        return ERR_OK;
    default:
        return fill_contexts(w, err);
    }
}

const struct bench bench_fit = {
    .name = "fit",
    .meaning = "updates of a task vector, with cached and with recomputed contexts",
    .open = fit_bench_open,
    .run = fit_bench_run,
    .close = fit_bench_close,
};
