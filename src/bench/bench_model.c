#include "bench/bench_model.h"

#include "sources/source_registry.h"

enum { SEED = 1 };

enum err_code bench_model_init(struct bench_model *s, const struct bench_size *size, size_t n,
                               size_t points, struct err *err) {
    enum err_code rc = ERR_OK;
    *s = (struct bench_model){0};
    const struct source_options o = {.seed = SEED, .split = "bench"};
    TRY(params_create(&s->params, &size->dims, err));
    params_init(&s->params, SEED);
    TRY(model_products_use(&s->params, &size->products, true, err));
    TRY(source_open_linear(&s->source, size->dims.inputs, &o, err));
    TRY(source_reserve(s->source, n, points, err));
    s->view = source_draw(s->source, 0, n);
    method_setup_named(&s->ltv, "ltv", &s->params);
cleanup:
    if (rc != ERR_OK) bench_model_release(s);
    return rc;
}

void bench_model_release(struct bench_model *s) {
    source_close(s->source);
    params_destroy(&s->params);
}
