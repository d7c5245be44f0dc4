/* Reference values: scikit-learn 1.9 (Ridge with solver="svd", r2_score with
 * multioutput="variance_weighted"). The constructed cases are features that hold the targets, and
 * features that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "measures/drawn.h"
#include "measures/ridge_probe.h"
#include "ops/blas.h"

enum { TARGETS = 2 };

struct rows { /* [n, features], [n, TARGETS] */
    size_t n, features;
    double *x, *y;
};

static struct rows rows_create(size_t n, size_t features) {
    struct rows r = {n, features, calloc(n * features, sizeof(double)),
                     calloc(n * TARGETS, sizeof(double))};
    assert_non_null(r.x);
    assert_non_null(r.y);
    return r;
}

static void rows_destroy(struct rows *r) {
    free(r->x);
    free(r->y);
}

/* y = x W + noise of that size. */
static struct rows related(size_t n, size_t features, double noise) {
    struct rows r = rows_create(n, features);
    double *W = calloc(features * TARGETS, sizeof *W);
    assert_non_null(W);
    drawn_cloud(r.x, n, features, 3, 1.0, 0.2);
    drawn_cloud(W, features, TARGETS, 4, 1.0, 0.0);
    drawn_cloud(r.y, n, TARGETS, 5, noise, 0.1 * noise);
    for (size_t i = 0; i < n; i++)
        for (size_t q = 0; q < TARGETS; q++)
            for (size_t p = 0; p < features; p++)
                r.y[i * TARGETS + q] += r.x[i * features + p] * W[p * TARGETS + q];
    free(W);
    return r;
}

static struct ridge_probe probe(const struct rows *r, size_t train, size_t validation) {
    const struct ridge_probe_data d = {.train = train,
                                       .validation = validation,
                                       .test = r->n - train - validation,
                                       .features = r->features,
                                       .targets = TARGETS,
                                       .x = r->x,
                                       .y = r->y};
    struct ridge_probe out;
    assert_int_equal(ridge_probe_run(&out, &d, NULL), ERR_OK);
    return out;
}

/* Fewer features than rows, and more. */
static void as_scikit_learn(void **state) {
    static const struct {
        size_t features;
        double noise, penalty, r2, validation_r2, first[TARGETS];
    } cases[] = {
        {6, 2, 0.160433915583, 0.477314652494, 0.750958758416, {0.23170639, -2.00489068}},
        {50, 60, 2875.75396055, -0.0423381820426, 0.443872634055, {6.1225128, -17.36149768}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rows r = related(90, cases[i].features, cases[i].noise);
        struct ridge_probe found = probe(&r, 40, 20);
        double error = 0, spread = 0;
        near(found.penalty, cases[i].penalty, 1e-9);
        near(found.r2, cases[i].r2, 1e-9);
        near(found.validation_r2, cases[i].validation_r2, 1e-9);
        for (size_t q = 0; q < TARGETS; q++) near(found.prediction[q], cases[i].first[q], 1e-7);
        for (size_t t = 0; t < 30; t++) {
            error += found.error[t];
            spread += found.spread[t];
        }
        near(1 - error / spread, found.r2, 1e-12);
        ridge_probe_release(&found);
        rows_destroy(&r);
    }
}

/* A vector that holds w in a rotated basis, beside coordinates that have nothing to do with it. */
static void finds_what_is_there(void **state) {
    (void)state;
    struct rows r = rows_create(200, 12);
    drawn_cloud(r.x, 200, 12, 17, 1.0, 0.4);
    for (size_t i = 0; i < 200; i++) {
        r.y[2 * i] = 0.6 * r.x[12 * i + 3] - 0.8 * r.x[12 * i + 7];
        r.y[2 * i + 1] = 0.8 * r.x[12 * i + 3] + 0.6 * r.x[12 * i + 7];
    }
    struct ridge_probe found = probe(&r, 120, 40);
    near(found.r2, 1, 1e-9);
    ridge_probe_release(&found);
    rows_destroy(&r);
}

/* Nothing to read, with few features and with more than there are rows: R^2 is not above chance. */
static void finds_nothing_in_noise(void **state) {
    static const size_t features[] = {5, 300};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rows r = rows_create(200, features[i]);
        drawn_cloud(r.x, 200, features[i], 21, 1.0, 0.0);
        drawn_cloud(r.y, 200, TARGETS, 22, 1.0, 0.0);
        struct ridge_probe found = probe(&r, 100, 50);
        if (found.r2 > 0.1) fail_msg("%zu features: R^2 is %g", features[i], found.r2);
        ridge_probe_release(&found);
        rows_destroy(&r);
    }
}

/* One vector for all functions says nothing about any: the prediction is the mean. */
static void constant_features(void **state) {
    (void)state;
    struct rows r = rows_create(60, 4);
    drawn_cloud(r.y, 60, TARGETS, 23, 1.0, 0.0);
    for (size_t i = 0; i < 60 * 4; i++) r.x[i] = 0.5;
    struct ridge_probe found = probe(&r, 30, 15);
    assert_true(found.r2 <= 0 && found.r2 > -0.5);
    for (size_t q = 0; q < TARGETS; q++)
        assert_true(found.prediction[q] == found.prediction[14 * TARGETS + q]);
    ridge_probe_release(&found);
    for (size_t i = 0; i < 60 * TARGETS; i++) r.y[i] = 1.0;
    found = probe(&r, 30, 15);
    assert_true(isnan(found.r2));
    ridge_probe_release(&found);
    rows_destroy(&r);
}

static void not_finite(void **state) {
    struct err err;
    struct ridge_probe found;
    (void)state;
    struct rows r = related(20, 3, 1.0);
    r.x[2] = (double)INFINITY;
    const struct ridge_probe_data d = {10, 5, 5, 3, TARGETS, r.x, r.y};
    assert_int_equal(ridge_probe_run(&found, &d, &err), ERR_NUMERIC);
    ridge_probe_release(&found);
    rows_destroy(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_scikit_learn),
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(finds_nothing_in_noise),
        cmocka_unit_test(constant_features),
        cmocka_unit_test(not_finite),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
