/*
 * scene.h - what every bench works on: a model with its initial weights, and prompts.
 *
 * The speed of a pass does not depend on what the weights are.
 */
#ifndef BENCH_SCENE_H
#define BENCH_SCENE_H

#include "bench/size.h"
#include "methods/method.h"
#include "model/prompt_view.h"
#include "problems/prompts.h"

struct scene {
    struct params params;
    struct prompts prompts;
    struct prompt_source source; /* linear regression */
    struct method_setup ltv;     /* reading "heads" */
    struct prompt_view view;     /* of prompts */
};

/* n prompts of `points` points. */
enum err_code scene_init(struct scene *s, const struct bench_size *size, size_t n, size_t points,
                         struct err *err);
void scene_release(struct scene *s);

#endif
