/*
 * bench effects - the average indirect effect of all heads: at the query of label-shuffled prompts,
 * each head is patched with its mean over clean prompts. Both sets of contexts are recomputed.
 *
 * The cost is compared with a full forward pass of the same prompts.
 */
#include <stdlib.h>

#include "activations/basis_collector.h"
#include "activations/head_patching.h"
#include "bench/bench.h"
#include "bench/bench_model.h"
#include "bench/flop_count.h"
#include "model/forward.h"
#include "sources/prompt_batch.h"

enum { FORWARD, HEADS, LINES };

struct work {
    struct bench_model scene; /* clean prompts */
    struct prompt_view corrupted;
    float *y; /* [n, points] of the corrupted prompts */
    struct forward forward;
    struct basis_set basis, mean;      /* [n]; [1] */
    struct basis_collector *collector; /* created once, as in the stages */
    struct prompt_batch batch;         /* of the corrupted prompts */
    struct head_patching pass;
    float *tokens, *effects; /* [n, 2 points, dims]; [L, H, n] */
};

static void effects_bench_close(void *state) {
    struct work *w = state;
    if (!w) return;
    free(w->tokens);
    head_patching_destroy(&w->pass);
    prompt_batch_destroy(&w->batch);
    basis_set_destroy(&w->mean);
    basis_set_destroy(&w->basis);
    basis_collector_destroy(w->collector);
    forward_destroy(&w->forward);
    free(w->y);
    bench_model_release(&w->scene);
    free(w);
}

static double flops_of_heads(const struct model_dims *d, double seen) {
    double flops = 2 * flop_count_prefill(d, seen) + 2 * flop_count_query(d, seen);
    for (size_t l = 0; l < d->L; l++) flops += (double)d->H * flop_count_query_from(d, seen, l);
    return flops;
}

static void describe(struct bench_line *lines, const struct bench_size *z) {
    const struct model_dims *d = &z->dims;
    const double seen = 2.0 * (double)(z->trained_points - 1), L = (double)d->L;
    const double context = flop_count_context_bytes(d, 1, seen, sizeof(float));
    lines[FORWARD] =
        (struct bench_line){.name = "full forward", .unit = "prompts", .units = (double)z->few};
    lines[FORWARD].flops = flop_count_forward(d, seen + 2);
    lines[HEADS] = (struct bench_line){.name = "all heads",
                                       .unit = "prompts",
                                       .units = (double)z->few,
                                       .compared_with = "full forwards of the same prompts"};
    lines[HEADS].flops = flops_of_heads(d, seen);
    /* Contexts are written and read once for the clean and the shuffled prompts; then the copies of
     * a row, which are neighbours, read each later layer once for every patched layer. */
    lines[HEADS].bytes = context * (4 * L + L * (L - 1) / 2);
}

static enum err_code create_arrays(struct work *w, const struct bench_size *z, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &z->dims;
    const size_t n = z->few, tokens = 2 * z->trained_points;
    const struct prompt_batch_options batch = {
        .dims = d, .slots = n, .tokens = tokens - 2, .rows = n, .contexts = CONTEXT_SINGLE};
    w->tokens = calloc(n * tokens * d->inputs + n * d->L * d->H, sizeof *w->tokens);
    w->y = calloc(n * z->trained_points, sizeof *w->y);
    CHECK(w->tokens && w->y, ERR_MEMORY, "no memory for %zu rows", n);
    w->effects = w->tokens + n * tokens * d->inputs;
    TRY(prompt_batch_create(&w->batch, &batch, err));
    prompt_batch_ask(&w->batch, &w->scene.view, z->trained_points - 1, batch.tokens);
cleanup:
    return rc;
}

/* The labels of each prompt rotated by one. */
static void corrupt(struct work *w) {
    const struct prompt_view *v = &w->scene.view;
    for (size_t i = 0; i < v->n; i++)
        for (size_t k = 0; k < v->points; k++)
            w->y[i * v->points + k] = v->y[i * v->points + (k + 1) % v->points];
    w->corrupted = *v;
    w->corrupted.y = w->y;
}

static enum err_code effects_bench_open(void **state, struct bench_line lines[BENCH_LINES],
                                        size_t *n, const struct bench_size *z, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t seen = 2 * (z->trained_points - 1);
    struct work *w = calloc(1, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for a bench");
    TRY(bench_model_init(&w->scene, z, z->few, z->trained_points, err));
    TRY(create_arrays(w, z, err));
    corrupt(w);
    TRY(forward_create(&w->forward, &z->dims, z->few, seen + 2, false, err));
    TRY(basis_set_create(&w->basis, &z->dims, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION),
                         z->few, err));
    TRY(basis_set_create(&w->mean, &z->dims, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION), 1,
                         err));
    TRY(basis_collector_create(&w->collector, &z->dims, z->trained_points, z->few, CONTEXT_SINGLE,
                               err));
    TRY(head_patching_create(&w->pass, &z->dims, z->few, seen, err));
    describe(lines, z);
    *n = LINES;
    *state = w;
    w = NULL;
cleanup:
    effects_bench_close(w);
    return rc;
}

static void run_forward(struct work *w) {
    const struct prompt_view *v = &w->scene.view;
    prompt_batch_sequences(w->tokens, v, v->points);
    forward_run(&w->forward, &w->scene.params, w->tokens, v->n, 2 * v->points);
}

/* The mean of z: heads are patched before the output projection. */
static void average(struct work *w) {
    const struct basis_set *s = &w->basis;
    const size_t E = s->dims.E;
    const float *z = s->part[BASIS_HEADS];
    for (size_t l = 0; l < s->dims.L; l++)
        for (size_t e = 0; e < E; e++) {
            double sum = 0;
            for (size_t i = 0; i < s->n; i++) sum += (double)z[(l * s->n + i) * E + e];
            w->mean.part[BASIS_HEADS][l * E + e] = (float)(sum / (double)s->n);
        }
}

static void fill_corrupted(struct work *w) {
    prompt_batch_begin(&w->batch, &w->scene.params, NULL);
    prompt_batch_fill(&w->batch, &w->corrupted,
                      (struct prompt_span){.pairs = w->corrupted.points - 1});
}

static enum err_code effects_bench_run(void *state, size_t line, struct err *err) {
    struct work *w = state;
    (void)err;
    const struct prompt_view *v = &w->scene.view;
    const struct query_rows rows = prompt_rows_of(&w->batch.rows, v->n);
    if (line == FORWARD) {
        run_forward(w);
        return ERR_OK;
    }
    basis_collector_run(&w->basis, w->collector, &w->scene.params, v);
    average(w);
    fill_corrupted(w);
    const struct basis mean = basis_set_view(&w->mean, 0, 1);
    head_patching_begin(&w->pass, &w->scene.params, &w->batch.context, &rows);
    head_patching_all(w->effects, &w->pass, &mean, EDIT_HEADS);
    return ERR_OK;
}

const struct bench bench_effects = {
    .name = "effects",
    .meaning = "average indirect effect of all heads (activation patching at the query)",
    .open = effects_bench_open,
    .run = effects_bench_run,
    .close = effects_bench_close,
};
