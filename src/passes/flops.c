#include "passes/flops.h"

#include "model/family.h"

/* Numbers of the matrices of a layer. */
static double layer_weights(const struct model_dims *d) {
    const double E = (double)d->E, Z = (double)model_heads_width(d);
    const double maps = family_of(d)->layer->gate_w ? 3 : 2; /* of the MLP */
    return E * (double)model_qkv_width(d) + Z * E + maps * E * (double)model_mlp_width(d);
}

double flops_forward(const struct model_dims *d, double tokens, double seen) {
    const double L = (double)d->L, Z = (double)model_heads_width(d);
    const double weights = L * layer_weights(d) + (double)d->inputs * (double)d->E;
    return tokens * (2 * weights + 4 * L * Z * seen);
}

double flops_context(const struct model_dims *d, double tokens) {
    struct model_dims before_last = *d;
    before_last.L -= 1;
    return flops_forward(&before_last, tokens, tokens / 2) +
           tokens * 2 * (double)d->E * 2 * (double)model_keys_width(d);
}

double flops_query_from(const struct model_dims *d, double seen, size_t layer) {
    struct model_dims rest = *d;
    rest.L -= layer;
    rest.inputs = 0;
    return flops_forward(&rest, 1, seen) - 2 * (double)d->E * (double)model_qkv_width(d) -
           4 * (double)model_heads_width(d) * seen;
}

double flops_logits(const struct model_dims *d, double rows, double tokens) {
    return 2 * rows * (double)d->E * tokens;
}

double flops_vector(const struct model_dims *d) {
    return 2 * (double)d->L * (double)model_heads_width(d) * (double)d->E;
}

double flops_context_bytes(const struct model_dims *d, double layers, double tokens, double width) {
    return 2 * layers * tokens * (double)model_keys_width(d) * width;
}

void flops_add_contexts(struct job_load *l, const struct model_dims *d, double n, double tokens) {
    l->contexts += n * flops_context(d, tokens);
    l->width = (double)d->E;
}

void flops_add_queries(struct job_load *l, const struct model_dims *d, double n, double seen) {
    l->queries += n * flops_forward(d, 1, seen);
    l->width = (double)d->E;
}

void flops_add_vectors(struct job_load *l, const struct model_dims *d, double n) {
    l->queries += n * flops_vector(d);
    l->width = (double)d->E;
}

void flops_add_reading(struct job_load *l, const struct model_dims *d, double n, double seen,
                       enum context_precision contexts) {
    const double bytes = contexts == CONTEXT_HALF ? 2 : sizeof(float);
    l->read += n * flops_context_bytes(d, (double)d->L, seen, bytes);
}

void flops_add_training(struct job_load *l, const struct model_dims *d, double tokens,
                        double seen) {
    l->training += 3 * flops_forward(d, tokens, seen);
    l->width = (double)d->E;
}
