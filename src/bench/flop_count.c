#include "bench/flop_count.h"

#include "passes/flops.h"

double flop_count_train_token(const struct model_dims *d, double tokens) {
    return 3 * flops_forward(d, 1, tokens / 2);
}

double flop_count_forward(const struct model_dims *d, double tokens) {
    return flops_forward(d, tokens, tokens / 2);
}

double flop_count_prefill(const struct model_dims *d, double tokens) {
    return flops_context(d, tokens);
}

double flop_count_query(const struct model_dims *d, double seen) {
    return flops_forward(d, 1, seen);
}

double flop_count_query_backward(const struct model_dims *d, double seen) {
    const double L = (double)d->L;
    return (L - 1) / L * (flop_count_query(d, seen) - 2 * (double)d->inputs * (double)d->E);
}

double flop_count_query_from(const struct model_dims *d, double seen, size_t layer) {
    return flops_query_from(d, seen, layer);
}

double flop_count_vector(const struct model_dims *d) { return flops_vector(d); }

double flop_count_context_bytes(const struct model_dims *d, double layers, double tokens,
                                double width) {
    return flops_context_bytes(d, layers, tokens, width);
}
