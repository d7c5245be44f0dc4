/*
 * bench capture - head outputs at the query of basis prompts, from which fits build vectors.
 */
#include <stdlib.h>

#include "activations/basis_collector.h"
#include "bench/bench.h"
#include "bench/bench_model.h"
#include "bench/flop_count.h"

struct work {
    struct bench_model scene;
    struct basis_collector *collector; /* created once, as in the stages */
    struct basis_set basis;
};

static void capture_bench_close(void *state) {
    struct work *w = state;
    if (!w) return;
    basis_set_destroy(&w->basis);
    basis_collector_destroy(w->collector);
    bench_model_release(&w->scene);
    free(w);
}

static enum err_code capture_bench_open(void **state, struct bench_line lines[BENCH_LINES],
                                        size_t *n, const struct bench_size *z, struct err *err) {
    enum err_code rc = ERR_OK;
    const double seen = 2.0 * (double)(z->trained_points - 1);
    struct work *w = calloc(1, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for a bench");
    TRY(bench_model_init(&w->scene, z, z->few, z->trained_points, err));
    TRY(basis_set_create(&w->basis, &z->dims, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION),
                         z->few, err));
    TRY(basis_collector_create(&w->collector, &z->dims, z->trained_points, z->few, CONTEXT_SINGLE,
                               err));
    lines[0] = (struct bench_line){.name = "capture", .unit = "prompts", .units = (double)z->few};
    lines[0].flops = flop_count_prefill(&z->dims, seen) + flop_count_query(&z->dims, seen);
    lines[0].bytes = 2 * flop_count_context_bytes(&z->dims, (double)z->dims.L, seen, sizeof(float));
    *n = 1;
    *state = w;
    w = NULL;
cleanup:
    capture_bench_close(w);
    return rc;
}

static enum err_code capture_bench_run(void *state, size_t line, struct err *err) {
    struct work *w = state;
    (void)line, (void)err;
    basis_collector_run(&w->basis, w->collector, &w->scene.params, &w->scene.view);
    return ERR_OK;
}

const struct bench bench_capture = {
    .name = "capture",
    .meaning = "head outputs at the query of basis prompts",
    .open = capture_bench_open,
    .run = capture_bench_run,
    .close = capture_bench_close,
};
