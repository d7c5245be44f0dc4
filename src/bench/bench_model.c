#include "bench/bench_model.h"

#include <stdio.h>

enum { SEED = 1 };

enum err_code bench_model_init(struct bench_model *s, const struct bench_size *size, size_t n,
                               size_t points, struct err *err) {
    enum err_code rc = ERR_OK;
    *s = (struct bench_model){0};
    s->source.seed = SEED;
    s->source.setup = (struct problem_setup){
        .problem = problem_find("linear"), .dims = size->dims.inputs, .scale = 1.0};
    (void)snprintf(s->source.split, sizeof s->source.split, "bench");
    TRY(params_create(&s->params, &size->dims, err));
    params_init(&s->params, SEED);
    TRY(prompts_create(&s->prompts, &s->source.setup, n, points, err));
    prompts_draw(&s->prompts, &s->source, 0, size->dims.inputs);
    s->view = (struct prompt_view){
        .n = n, .points = points, .dims = size->dims.inputs, .x = s->prompts.x, .y = s->prompts.y};
    method_setup_named(&s->ltv, "ltv", &s->params);
cleanup:
    if (rc != ERR_OK) bench_model_release(s);
    return rc;
}

void bench_model_release(struct bench_model *s) {
    prompts_destroy(&s->prompts);
    params_destroy(&s->params);
}
