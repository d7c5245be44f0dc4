/*
 * prompt_scene.h - one prompt with normal x and given or linear y, and an estimator asked about it.
 */
#ifndef TESTS_ESTIMATORS_PROMPT_SCENE_H
#define TESTS_ESTIMATORS_PROMPT_SCENE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "estimators/estimator.h"
#include "ops/blas.h"
#include "twins/error_says.h"
#include "twins/ops_twin.h"

enum { POINTS_MAX = 64, DIMS_MAX = 32 };

struct scene {
    float x[POINTS_MAX * DIMS_MAX], y[POINTS_MAX];
    struct estimator_prompt prompt;
};

/* x normal, y = w.x + noise, w normal. */
static inline void scene_make(struct scene *s, size_t points, size_t dims, double noise,
                              uint64_t seed) {
    struct pair x = pair_normals(points * dims, 3 * seed + 1, 1),
                w = pair_normals(dims, 3 * seed + 2, 1);
    struct pair e = pair_normals(points, 3 * seed + 3, noise);
    memcpy(s->x, x.f, points * dims * sizeof *s->x);
    for (size_t i = 0; i < points; i++)
        s->y[i] = (float)(twin_dot(x.d + i * dims, w.d, dims) + e.d[i]);
    s->prompt = (struct estimator_prompt){.points = points,
                                          .dims = dims,
                                          .x = s->x,
                                          .y = s->y,
                                          .query = s->x,
                                          .seed = seed,
                                          .sample = 7};
    pair_free(&x), pair_free(&w), pair_free(&e);
}

/* The curve from a state full of rubbish, as it may be after another prompt. */
static inline void scene_curve(float *out, const struct estimator_setup *setup,
                               const struct estimator_prompt *p) {
    struct err err;
    const size_t bytes = estimator_state(setup, p->points, p->dims);
    void *state = malloc(bytes + 1);
    assert_non_null(state);
    memset(state, 0xa5, bytes);
    SUCCEEDS(estimator_curve(out, setup, p, state, &err));
    free(state);
}

static inline void assert_near(double got, double want, double tolerance, const char *what,
                               size_t k) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s after %zu examples: got %.9g, expected %.9g", what, k, got, want);
}

/* A [n,n] x = b by elimination with row exchange; both are overwritten, x is in b. */
static inline void twin_solve(double *A, double *b, size_t n) {
    for (size_t c = 0; c < n; c++) {
        size_t best = c;
        for (size_t r = c; r < n; r++)
            if (fabs(A[r * n + c]) > fabs(A[best * n + c])) best = r;
        for (size_t j = 0; j < n; j++) {
            const double t = A[c * n + j];
            A[c * n + j] = A[best * n + j], A[best * n + j] = t;
        }
        const double t = b[c];
        b[c] = b[best], b[best] = t;
        for (size_t r = c + 1; r < n; r++) {
            const double f = A[r * n + c] / A[c * n + c];
            for (size_t j = c; j < n; j++) A[r * n + j] -= f * A[c * n + j];
            b[r] -= f * b[c];
        }
    }
    for (size_t c = n; c-- > 0;) {
        for (size_t j = c + 1; j < n; j++) b[c] -= A[c * n + j] * b[j];
        b[c] /= A[c * n + c];
    }
}

#endif
