#include "model/embed.h"

#include <assert.h>
#include <stdbool.h>

#include "model/family.h"
#include "ops/linear.h"
#include "ops/vector_ops.h"

static bool all_below(const uint32_t *ids, size_t T, size_t V) {
    for (size_t t = 0; t < T; t++)
        if (ids[t] >= V) return false;
    return true;
}

/* Without positions. */
static void embed_tokens(float *x, const struct params *p, const float *vectors,
                         const uint32_t *ids, size_t T) {
    const struct model_dims *d = &p->dims;
    switch (family_of(d)->embedding) {
    case EMBEDDING_READ_IN:
        linear_forward(x, vectors, p->read_in_w, p->read_in_b, T, d->inputs, d->E, LINEAR_OUT_IN);
        return;
    case EMBEDDING_TOKENS:
        assert(all_below(ids, T, d->vocabulary));
        for (size_t t = 0; t < T; t++)
            weight_widen(x + t * d->E, &p->wte, ids[t] * d->E, 1, d->E, d->E);
        return;
    }
}

void embed_sequences(float *x, const struct params *p, const float *vectors, const uint32_t *ids,
                     size_t B, size_t length) {
    const size_t E = p->dims.E;
    assert(length <= p->dims.positions);
    embed_tokens(x, p, vectors, ids, B * length);
    for (size_t b = 0; p->wpe && b < B; b++) vector_add(x + b * length * E, p->wpe, length * E);
}

void embed_rows(float *x, const struct params *p, const float *vectors, const uint32_t *ids,
                const uint32_t *position, size_t R) {
    const size_t E = p->dims.E;
    embed_tokens(x, p, vectors, ids, R);
    for (size_t r = 0; r < R; r++) {
        assert(position[r] < p->dims.positions);
        if (p->wpe) vector_add(x + r * E, p->wpe + position[r] * E, E);
    }
}

static void tokens_backward(const struct params *gradient, const float *dx, const float *vectors,
                            const uint32_t *ids, size_t T) {
    const struct model_dims *d = &gradient->dims;
    switch (family_of(d)->embedding) {
    case EMBEDDING_READ_IN:
        linear_backward(NULL, gradient->read_in_w, gradient->read_in_b, dx, vectors, NULL, T,
                        d->inputs, d->E, LINEAR_OUT_IN);
        return;
    case EMBEDDING_TOKENS:
        for (size_t t = 0; t < T; t++)
            vector_add(gradient->wte.f32 + ids[t] * d->E, dx + t * d->E, d->E);
        return;
    }
}

void embed_backward(const struct params *gradient, const float *dx, const float *vectors,
                    const uint32_t *ids, size_t B, size_t length) {
    const size_t n = length * gradient->dims.E;
    tokens_backward(gradient, dx, vectors, ids, B * length);
    for (size_t b = 0; gradient->wpe && b < B; b++) vector_add(gradient->wpe, dx + b * n, n);
}
