#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/rmsnorm.h"
#include "twins/ops_twin.h"

static const float EPS = 1e-5f;

/* A scalar loss <g, y>. */
struct layer {
    size_t R, E;
    struct pair x, gain, g, y, rstd;
};

static struct layer layer_new(size_t R, size_t E) {
    return (struct layer){R,
                          E,
                          pair_normals(R * E, 1, 2.0),
                          pair_normals(E, 2, 1.0),
                          pair_normals(R * E, 3, 1.0),
                          pair_filled(R * E, nan("")),
                          pair_filled(R, nan(""))};
}

static void layer_free(struct layer *l) {
    pair_free(&l->x), pair_free(&l->gain), pair_free(&l->g), pair_free(&l->y), pair_free(&l->rstd);
}

static double loss(void *context) {
    struct layer *l = context;
    twin_rmsnorm(l->y.d, l->x.d, l->gain.d, (double)EPS, l->R, l->E);
    return twin_dot(l->g.d, l->y.d, l->y.n);
}

static void compare_gradients(struct layer *l) {
    struct pair dx = pair_filled(l->x.n, 1.0), dgain = pair_filled(l->E, 2.0);
    struct pair alone = pair_filled(l->x.n, 1.0);
    rmsnorm_backward(dx.f, dgain.f, l->g.f, l->x.f, l->rstd.f, l->gain.f, l->R, l->E);
    rmsnorm_backward(alone.f, NULL, l->g.f, l->x.f, l->rstd.f, l->gain.f, l->R, l->E);
    assert_memory_equal(alone.f, dx.f, dx.n * sizeof(float));
    for (size_t i = 0; i < dx.n; i++) dx.d[i] += twin_slope(loss, l, &l->x.d[i]);
    for (size_t e = 0; e < l->E; e++) dgain.d[e] += twin_slope(loss, l, &l->gain.d[e]);
    assert_true(twin_error(dx.f, dx.d, dx.n) < 1e-5);
    assert_true(twin_error(dgain.f, dgain.d, l->E) < 1e-5);
    pair_free(&dx), pair_free(&dgain), pair_free(&alone);
}

static void values_and_gradients(void **state) {
    (void)state;
    const size_t sizes[][2] = {{1, 1}, {3, 8}, {5, 33}, {2, 576}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct layer l = layer_new(sizes[i][0], sizes[i][1]);
        rmsnorm_forward(l.y.f, l.rstd.f, l.x.f, l.gain.f, EPS, l.R, l.E);
        loss(&l);
        assert_true(twin_error(l.y.f, l.y.d, l.y.n) < 1e-6);
        compare_gradients(&l);
        layer_free(&l);
    }
}

/* In place, and one row alone: the same bits. */
static void rows_are_independent(void **state) {
    (void)state;
    struct layer l = layer_new(4, 33);
    float rstd[4];
    rmsnorm_forward(l.y.f, l.rstd.f, l.x.f, l.gain.f, EPS, 4, 33);
    for (size_t r = 0; r < 4; r++)
        rmsnorm_forward(l.x.f + r * 33, rstd + r, l.x.f + r * 33, l.gain.f, EPS, 1, 33);
    assert_memory_equal(l.x.f, l.y.f, 4 * 33 * sizeof(float));
    assert_memory_equal(rstd, l.rstd.f, sizeof rstd);
    layer_free(&l);
}

static void zeros_stay_zeros(void **state) {
    (void)state;
    const float gain[] = {1, 2, 3};
    float x[3] = {0}, rstd;
    rmsnorm_forward(x, &rstd, x, gain, EPS, 1, 3);
    assert_true(x[0] == 0 && x[1] == 0 && x[2] == 0 && isfinite(rstd));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_and_gradients),
                                       cmocka_unit_test(rows_are_independent),
                                       cmocka_unit_test(zeros_stay_zeros)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
