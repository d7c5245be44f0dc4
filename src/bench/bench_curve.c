/*
 * bench curve - predictions of a task vector after every number of examples: contexts are computed,
 * then a query at every length.
 */
#include <stdlib.h>

#include "activations/basis_collector.h"
#include "bench/bench.h"
#include "bench/bench_model.h"
#include "bench/flop_count.h"
#include "passes/curve.h"

struct work {
    struct bench_model scene;
    struct basis_set basis;
    struct curve curve;
    float *w, *prediction; /* [weights]; [few, points] */
};

static void curve_bench_close(void *state) {
    struct work *w = state;
    if (!w) return;
    free(w->prediction);
    free(w->w);
    curve_destroy(&w->curve);
    basis_set_destroy(&w->basis);
    bench_model_release(&w->scene);
    free(w);
}

static struct curve_options options_of(const struct work *w, const struct bench_size *z) {
    return (struct curve_options){.setup = &w->scene.ltv,
                                  .chunk = z->few,
                                  .points = z->points,
                                  .window_points = z->trained_points,
                                  .trained_points = z->trained_points};
}

static struct bench_line line_of(const struct work *w, const struct bench_size *z) {
    const struct model_dims *d = &z->dims;
    const double T = 2.0 * (double)(z->points - 1);
    const struct curve_options o = options_of(w, z);
    struct bench_line line = {.name = "curve", .unit = "prompts", .units = (double)z->few};
    line.flops = flop_count_prefill(d, T) + flop_count_vector(d);
    for (size_t k = 0; k < z->points; k++) line.flops += flop_count_query(d, 2.0 * (double)k);
    line.bytes =
        2 * flop_count_context_bytes(d, (double)d->L, T, sizeof(float)); /* written and read */
    line.memory =
        (double)(curve_bytes(d, &o) +
                 basis_set_bytes(d, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION), z->few) +
                 params_count(d) * sizeof(float));
    return line;
}

static enum err_code curve_bench_open(void **state, struct bench_line lines[BENCH_LINES], size_t *n,
                                      const struct bench_size *z, struct err *err) {
    enum err_code rc = ERR_OK;
    struct work *w = calloc(1, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for a bench");
    TRY(bench_model_init(&w->scene, z, z->few, z->points, err));
    TRY(basis_set_create(&w->basis, &z->dims, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION),
                         z->few, err));
    TRY(basis_set_collect(&w->basis, &w->scene.params, &w->scene.view, z->trained_points, z->few,
                          err));
    const size_t weights = method_weights(&w->scene.ltv);
    w->w = calloc(weights, sizeof *w->w);
    w->prediction = calloc(z->few * z->points, sizeof *w->prediction);
    CHECK(w->w && w->prediction, ERR_MEMORY, "no memory for %zu predictions", z->few * z->points);
    for (size_t i = 0; i < weights; i++) w->w[i] = 0.1F;
    const struct curve_options o = options_of(w, z);
    TRY(curve_create(&w->curve, &o, err));
    lines[0] = line_of(w, z);
    *n = 1;
    *state = w;
    w = NULL;
cleanup:
    curve_bench_close(w);
    return rc;
}

static enum err_code curve_bench_run(void *state, size_t line, struct err *err) {
    struct work *w = state;
    const struct basis basis = basis_set_view(&w->basis, 0, w->scene.view.n);
    (void)line;
    (void)err;
    curve_predict(w->prediction, &w->curve, &w->scene.view, &basis, w->w);
    return ERR_OK;
}

const struct bench bench_curve = {
    .name = "curve",
    .meaning = "predictions under a task vector after every number of examples",
    .open = curve_bench_open,
    .run = curve_bench_run,
    .close = curve_bench_close,
};
