/*
 * bench sharing - fits that read the same prompts: each makes its own contexts, or the first leaves
 * them to the others in the cache of the process, as jobs of a run do.
 */
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/bench_model.h"
#include "bench/flop_count.h"
#include "passes/fit_data.h"

enum { ALONE, SHARED, LINES };
enum { FITS = 6, EPOCHS = 25 };

struct work {
    struct bench_model scene;
    struct fit_data_options options;
    struct context_share share;
    size_t room; /* bytes of the contexts of one fit */
    float *w, *g;
    uint32_t *rows;
};

static void sharing_bench_close(void *state) {
    struct work *w = state;
    if (!w) return;
    context_cache_destroy(w->share.cache);
    free(w->rows);
    free(w->w);
    bench_model_release(&w->scene);
    free(w);
}

static void describe(struct bench_line *lines, const struct work *w, const struct bench_size *z) {
    const struct model_dims *d = &z->dims;
    const double T = 2.0 * (double)(z->points - 1), layers = 2.0 * (double)d->L - 1;
    const struct bench_line update = {
        .unit = "prompts",
        .units = (double)(w->options.prompts.n * FITS * EPOCHS),
        .flops =
            flop_count_query(d, T) + flop_count_query_backward(d, T) + 2 * flop_count_vector(d),
        .bytes = flop_count_context_bytes(d, layers, T, sizeof(float))};
    const double making =
        (flop_count_prefill(d, T) + flop_count_query(d, 2.0 * (double)(z->trained_points - 1))) /
        EPOCHS;
    lines[ALONE] = lines[SHARED] = update;
    lines[ALONE].name = "six fits alone";
    lines[ALONE].flops += making;
    lines[SHARED].name = "six fits sharing";
    lines[SHARED].flops += making / FITS;
    lines[SHARED].compared_with = "fits alone";
}

static enum err_code create_arrays(struct work *w, const struct bench_size *z, struct err *err) {
    const size_t weights = method_weights(&w->scene.ltv);
    w->w = calloc(2 * weights, sizeof *w->w);
    w->rows = calloc(z->few, sizeof *w->rows);
    if (!w->w || !w->rows) return ERR(err, ERR_MEMORY, "no memory for %zu weights", weights);
    w->g = w->w + weights;
    for (size_t i = 0; i < z->few; i++) w->rows[i] = (uint32_t)i;
    return ERR_OK;
}

static enum err_code sharing_bench_open(void **state, struct bench_line lines[BENCH_LINES],
                                        size_t *n, const struct bench_size *z, struct err *err) {
    enum err_code rc = ERR_OK;
    struct work *w = calloc(1, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for a bench");
    TRY(bench_model_init(&w->scene, z, z->few, z->points, err));
    TRY(create_arrays(w, z, err));
    w->options = (struct fit_data_options){.setup = &w->scene.ltv,
                                           .prompts = w->scene.view,
                                           .basis_points = z->trained_points,
                                           .averaged = z->few,
                                           .batch = z->few,
                                           .shards = 1,
                                           .memory = SIZE_MAX,
                                           .loss = {.kind = LOSS_HUBER, .delta = 1}};
    w->room = fit_data_cached_bytes(&w->options, &z->dims, 1);
    TRY(context_cache_create(&w->share.cache, NULL, err));
    describe(lines, w, z);
    *n = LINES;
    *state = w;
    w = NULL;
cleanup:
    sharing_bench_close(w);
    return rc;
}

static enum err_code fit_once(struct work *w, const struct context_share *share, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_data_options o = w->options;
    struct fit_data *data = NULL;
    double loss;
    o.share = share;
    TRY(fit_data_create(&data, &o, NULL, err));
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        fit_data_pass(&loss, w->g, data, w->w, w->rows, o.prompts.n, 1 / (double)o.prompts.n);
    fit_data_destroy(data);
cleanup:
    return rc;
}

/* The cache is empty before each repeat. */
static enum err_code sharing_bench_run(void *state, size_t line, struct err *err) {
    enum err_code rc = ERR_OK;
    struct work *w = state;
    context_cache_begin(w->share.cache, "", 0);
    for (int i = 0; i < FITS; i++) {
        context_cache_begin(w->share.cache, "bench", w->room);
        rc = fit_once(w, line == SHARED ? &w->share : NULL, err);
        context_cache_end(w->share.cache);
        if (rc != ERR_OK) break;
    }
    return rc;
}

const struct bench bench_sharing = {
    .name = "sharing",
    .meaning = "six fits of 25 epochs on the same prompts, with contexts of their own and shared",
    .open = sharing_bench_open,
    .run = sharing_bench_run,
    .close = sharing_bench_close,
};
