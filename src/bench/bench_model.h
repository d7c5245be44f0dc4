/*
 * bench_model.h - what every bench works on: a model with its initial weights, and prompts.
 *
 * The speed of a pass does not depend on what the weights are.
 */
#ifndef BENCH_BENCH_MODEL_H
#define BENCH_BENCH_MODEL_H

#include "bench/bench_size.h"
#include "methods/method.h"
#include "sources/source.h"

struct bench_model {
    struct params params;
    struct source *source;   /* linear functions */
    struct method_setup ltv; /* reading "heads" */
    struct prompt_view view; /* the prompts drawn last */
};

/* n prompts of `points` points. */
enum err_code bench_model_init(struct bench_model *s, const struct bench_size *size, size_t n,
                               size_t points, struct err *err);
void bench_model_release(struct bench_model *s);

#endif
