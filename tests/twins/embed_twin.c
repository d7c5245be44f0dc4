#include "twins/embed_twin.h"

#include <stdlib.h>

#include "twins/ops_twin.h"

static void add_positions(double *x, const struct model_twin *t, size_t from, size_t length) {
    const size_t E = t->dims.E;
    for (size_t i = 0; t->wpe && i < length * E; i++) x[i] += t->wpe[from * E + i];
}

void embed_twin_vectors(double *x, const struct model_twin *t, const double *tokens, size_t from,
                        size_t length) {
    twin_linear(x, tokens, t->read_in_w, t->read_in_b, length, t->dims.inputs, t->dims.E, 1);
    add_positions(x, t, from, length);
}

void embed_twin_ids(double *x, const struct model_twin *t, const uint32_t *ids, size_t from,
                    size_t length) {
    const size_t E = t->dims.E;
    for (size_t i = 0; i < length; i++)
        for (size_t e = 0; e < E; e++) x[i * E + e] = t->wte[ids[i] * E + e];
    add_positions(x, t, from, length);
}

size_t unembed_twin_width(const struct model_twin *t) { return t->wte ? t->dims.vocabulary : 1; }

void unembed_twin(double *out, const struct model_twin *t, const double *x, size_t R) {
    const size_t E = t->dims.E, O = unembed_twin_width(t);
    double *norm = malloc((R * E + 1) * sizeof *norm);
    if (!norm) exit(71);
    const double *matrix = t->head_w ? t->head_w : t->wte ? t->wte : t->read_out_w;
    model_twin_norm(norm, x, t->ln_f_w, t->ln_f_b, R, t);
    twin_linear(out, norm, matrix, t->wte ? t->head_b : t->read_out_b, R, E, O, 1);
    free(norm);
}
