#include "bench/flop_count.h"

#include "passes/flops.h"

static double square(const struct model_dims *d) { return (double)d->E * (double)d->E; }

double flop_count_train_token(const struct model_dims *d, double tokens) {
    return 3 * flops_forward(d, 1, tokens / 2);
}

double flop_count_forward(const struct model_dims *d, double tokens) {
    return flops_forward(d, tokens, tokens / 2);
}

double flop_count_prefill(const struct model_dims *d, double tokens) {
    struct model_dims before_last = *d;
    before_last.L -= 1;
    return flops_forward(&before_last, tokens, tokens / 2) + tokens * 2 * 2 * square(d);
}

double flop_count_query(const struct model_dims *d, double seen) {
    return flops_forward(d, 1, seen);
}

double flop_count_query_backward(const struct model_dims *d, double seen) {
    const double L = (double)d->L;
    return (L - 1) / L * (flop_count_query(d, seen) - 2 * (double)d->inputs * (double)d->E);
}

double flop_count_query_from(const struct model_dims *d, double seen, size_t layer) {
    const double layers = (double)(d->L - layer);
    const double attention = 2 * 3 * square(d) + 4 * (double)d->E * seen; /* q, k, v; heads */
    return layers * (2 * 12 * square(d) + 4 * (double)d->E * seen) - attention;
}

double flop_count_vector(const struct model_dims *d) { return 2 * (double)d->L * square(d); }

double flop_count_context_bytes(const struct model_dims *d, double layers, double tokens,
                                double width) {
    return 2 * layers * tokens * (double)d->E * width;
}
