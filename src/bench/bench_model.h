/*
 * bench_model.h - what every benchmark works on: a model with initial weights, and prompts.
 *
 * The speed of a pass does not depend on the values of the weights.
 */
#ifndef BENCH_BENCH_MODEL_H
#define BENCH_BENCH_MODEL_H

#include "bench/bench_size.h"
#include "methods/method.h"
#include "sources/source.h"

struct bench_model {
    struct params params;
    struct source *source;   /* linear functions */
    struct method_setup ltv; /* variant "heads" */
    struct prompt_view view; /* the prompts drawn last */
};

/* n prompts of `points` points. */
enum err_code bench_model_init(struct bench_model *s, const struct bench_size *size, size_t n,
                               size_t points, struct err *err);
void bench_model_release(struct bench_model *s);

#endif
