#include "passes/flops.h"

double flops_forward(const struct model_dims *d, double tokens, double seen) {
    double L = (double)d->L, E = (double)d->E;
    double weights = 12 * L * E * E + (double)d->inputs * E;
    return tokens * (2 * weights + 4 * L * E * seen);
}

void flops_add_contexts(struct job_load *l, const struct model_dims *d, double n, double tokens) {
    const double E = (double)d->E;
    struct model_dims before_last = *d;
    before_last.L -= 1;
    l->contexts += n * (flops_forward(&before_last, tokens, tokens / 2) + tokens * 2 * 2 * E * E);
    l->width = E;
}

void flops_add_queries(struct job_load *l, const struct model_dims *d, double n, double seen) {
    l->queries += n * flops_forward(d, 1, seen);
    l->width = (double)d->E;
}

void flops_add_vectors(struct job_load *l, const struct model_dims *d, double n) {
    l->queries += n * 2 * (double)d->L * (double)d->E * (double)d->E;
    l->width = (double)d->E;
}

void flops_add_reading(struct job_load *l, const struct model_dims *d, double n, double seen,
                       enum context_precision contexts) {
    const double bytes = contexts == CONTEXT_HALF ? 2 : sizeof(float);
    l->read += n * 2 * (double)d->L * seen * (double)d->E * bytes;
}

void flops_add_training(struct job_load *l, const struct model_dims *d, double tokens,
                        double seen) {
    l->training += 3 * flops_forward(d, tokens, seen);
    l->width = (double)d->E;
}
