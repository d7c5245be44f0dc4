/*
 * tiny.h - a model small enough for a twin, whose gains and biases all differ from 1 and 0.
 */
#ifndef TESTS_MODEL_TINY_H
#define TESTS_MODEL_TINY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/family.h"
#include "model/unembed.h"
#include "twins/error_says.h"
#include "twins/model_twin.h"
#include "twins/ops_twin.h"

static const struct model_dims TINY = {
    .L = 3, .H = 2, .E = 8, .inputs = 3, .positions = 14, .epsilon = 1e-5f};

static inline size_t tensor_size(const struct param_info *t) {
    return t->shape[0] * (t->rank == 2 ? t->shape[1] : 1);
}

static inline struct params tiny_params(const struct model_dims *dims) {
    struct params p;
    struct err err;
    SUCCEEDS(params_create(&p, dims, &err));
    for (size_t i = 0; i < params_tensors(dims); i++) {
        struct param_info t;
        params_at(&t, &p, i);
        struct pair x = pair_normals(tensor_size(&t), 100 + i, 0.4);
        const bool is_norm = strstr(t.name, "ln_") || strstr(t.name, "norm");
        const float gain = is_norm && strstr(t.name, "weight") ? 1.0f : 0.0f;
        for (size_t j = 0; j < x.n; j++) t.data[j] = gain + x.f[j];
        pair_free(&x);
    }
    return p;
}

/* The logits [R, V] of rows x [R, E]; free() them. */
static inline float *tiny_logits(const struct params *p, const float *x, size_t R) {
    struct unembed u;
    struct arena memory = {0};
    struct err err;
    float *logits = calloc(R * unembed_width(&p->dims), sizeof *logits);
    assert_non_null(logits);
    unembed_lay_out(&u, &memory, &p->dims, R, false);
    SUCCEEDS(arena_commit(&memory, &err));
    unembed_lay_out(&u, &memory, &p->dims, R, false);
    unembed_forward(logits, &u, p, x, R);
    arena_release(&memory);
    return logits;
}

/* The largest difference, divided by the largest expected number. */
static inline double relative_error(const float *got, const double *want, size_t n) {
    double worst = 0.0, scale = 1e-30;
    for (size_t i = 0; i < n; i++) {
        const double e = (double)got[i] - want[i], w = want[i] < 0 ? -want[i] : want[i];
        if (!(e <= worst && -e <= worst)) worst = e < 0 ? -e : e; /* a NaN is an error too */
        if (w > scale) scale = w;
    }
    return worst / scale;
}

#define CLOSE(error, tolerance)                                                                    \
    do {                                                                                           \
        const double error_ = (error);                                                             \
        if (!(error_ <= (tolerance))) fail_msg("error %.3g, tolerance %.3g", error_, (tolerance)); \
    } while (0)

/* Gradient g of tensor i against central differences of loss(context), which runs the twin: all
 * numbers of a small tensor, every `step`-th of one of more than `most`. */
static inline void tiny_compare_gradient(const struct params *g, struct model_twin *twin, size_t i,
                                         double (*loss)(void *), void *context, size_t most,
                                         size_t step) {
    struct param_info t;
    params_at(&t, g, i);
    const size_t n = tensor_size(&t), by = n > most ? step : 1;
    double *w = model_twin_tensor(twin, i), want[64];
    float got[64];
    size_t checked = 0;
    for (size_t j = 0; j < n; j += by, checked++) {
        assert_true(checked < 64);
        want[checked] = twin_slope(loss, context, w + j);
        got[checked] = t.data[j];
    }
    const double e = relative_error(got, want, checked);
    if (!(e < 1e-4)) fail_msg("%s: %s: error %.3g", family_of(&g->dims)->title, t.name, e);
}

#endif
