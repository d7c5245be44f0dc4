/*
 * bench pretrain - updates of pretraining: prompts drawn, forward, backward, Adam.
 *
 * Every rank trains a model of its own, on a whole batch: data-parallel training of one model is
 * what `scaling` measures.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/bench_model.h"
#include "bench/flop_count.h"
#include "optim/adam.h"
#include "passes/train_step.h"

struct work {
    struct bench_model scene;
    struct train_step step;
    struct params gradient;
    float *m, *v; /* [params_count] */
    int64_t done;
};

static void pretrain_bench_close(void *state) {
    struct work *w = state;
    if (!w) return;
    free(w->m);
    free(w->v);
    params_destroy(&w->gradient);
    train_step_destroy(&w->step);
    bench_model_release(&w->scene);
    free(w);
}

static struct bench_line line_of(const struct bench_size *z) {
    const double tokens = 2.0 * (double)z->trained_points;
    const double weights = (double)params_count(&z->dims);
    struct bench_line line = {.name = "step", .unit = "tokens"};
    line.units = (double)z->pretrain_prompts * tokens;
    line.flops = flop_count_train_token(&z->dims, tokens);
    /* An update reads the weights forward and back, adds to the gradient, and Adam reads four
     * arrays and writes three. */
    line.bytes = 11 * weights * sizeof(float) / line.units;
    line.memory = 4 * weights * sizeof(float) +
                  (double)train_step_bytes(&z->dims, z->pretrain_prompts, z->trained_points);
    return line;
}

static enum err_code pretrain_bench_open(void **state, struct bench_line lines[BENCH_LINES],
                                         size_t *n, const struct bench_size *z, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t weights = params_count(&z->dims);
    struct work *w = calloc(1, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for a bench");
    TRY(bench_model_init(&w->scene, z, z->pretrain_prompts, z->trained_points, err));
    TRY(train_step_create(&w->step, &z->dims, z->pretrain_prompts, z->trained_points, err));
    TRY(params_create(&w->gradient, &z->dims, err));
    w->m = calloc(weights, sizeof *w->m);
    w->v = calloc(weights, sizeof *w->v);
    CHECK(w->m && w->v, ERR_MEMORY, "no memory for the moments of %zu weights", weights);
    lines[0] = line_of(z);
    *n = 1;
    *state = w;
    w = NULL;
cleanup:
    pretrain_bench_close(w);
    return rc;
}

static enum err_code pretrain_bench_run(void *state, size_t line, struct err *err) {
    static const struct adam adam = {.beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-8F};
    struct work *w = state;
    struct bench_model *s = &w->scene;
    const size_t weights = params_count(&s->params.dims), n = s->view.n;
    (void)line;
    s->view = source_draw(s->source, (uint64_t)w->done * n, n);
    memset(w->gradient.block, 0, weights * sizeof(float));
    (void)train_step_run(&w->gradient, &w->step, &s->params, &s->view,
                         &(struct prompt_loss){.kind = LOSS_SQUARED},
                         1 / (double)(n * s->view.points));
    adam_step(s->params.block, w->m, w->v, w->gradient.block, weights, &adam, 1e-4F, ++w->done);
    return model_products_refresh(&s->params, err);
}

const struct bench bench_pretrain = {
    .name = "pretrain",
    .meaning = "updates of pretraining, a model on every rank",
    .open = pretrain_bench_open,
    .run = pretrain_bench_run,
    .close = pretrain_bench_close,
};
