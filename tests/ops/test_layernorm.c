#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/layernorm.h"
#include "twins/ops_twin.h"

static const float EPS = 1e-5f;
static const size_t SIZES[][2] = {{1, 1}, {1, 64}, {3, 5}, {4, 8}, {2, 33}, {5, 100}};
enum { CASES = sizeof SIZES / sizeof SIZES[0] };

/* A layer and a scalar loss <g, y>. */
struct layer {
    size_t R, E;
    struct pair x, gain, bias, g, y, mean, rstd;
};

static struct layer layer_new(size_t R, size_t E, double offset) {
    struct layer l = {R,
                      E,
                      pair_normals(R * E, 1, 2.0),
                      pair_normals(E, 2, 1.0),
                      pair_normals(E, 3, 1.0),
                      pair_normals(R * E, 4, 1.0),
                      pair_filled(R * E, nan("")),
                      pair_filled(R, nan("")),
                      pair_filled(R, nan(""))};
    for (size_t i = 0; i < R * E; i++) l.x.d[i] = (double)(l.x.f[i] += (float)offset);
    return l;
}

static void layer_free(struct layer *l) {
    pair_free(&l->x), pair_free(&l->gain), pair_free(&l->bias), pair_free(&l->g);
    pair_free(&l->y), pair_free(&l->mean), pair_free(&l->rstd);
}

static double loss(void *context) {
    struct layer *l = context;
    twin_layernorm(l->y.d, l->x.d, l->gain.d, l->bias.d, (double)EPS, l->R, l->E);
    return twin_dot(l->g.d, l->y.d, l->y.n);
}

static void forward(struct layer *l) {
    layernorm_forward(l->y.f, l->mean.f, l->rstd.f, l->x.f, l->gain.f, l->bias.f, EPS, l->R, l->E);
}

static void values(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct layer l = layer_new(SIZES[i][0], SIZES[i][1], 0.5);
        forward(&l);
        loss(&l);
        assert_true(twin_error(l.y.f, l.y.d, l.y.n) < 1e-5);
        layer_free(&l);
    }
}

/* A variance computed in one pass would lose every digit here. */
static void far_from_zero(void **state) {
    (void)state;
    struct layer l = layer_new(3, 64, 10000.0);
    forward(&l);
    loss(&l);
    assert_true(twin_error(l.y.f, l.y.d, l.y.n) < 2e-3); /* the mean itself has 24 bits */
    layer_free(&l);
}

static void constant_row_gives_bias(void **state) {
    (void)state;
    struct layer l = layer_new(1, 8, 0.0);
    for (size_t e = 0; e < 8; e++) l.x.f[e] = 3.0f;
    forward(&l);
    assert_memory_equal(l.y.f, l.bias.f, 8 * sizeof(float));
    layer_free(&l);
}

static void slopes_equal(const struct pair *got, struct pair *at, struct layer *l) {
    for (size_t i = 0; i < got->n; i++) got->d[i] += twin_slope(loss, l, &at->d[i]);
    assert_true(twin_error(got->f, got->d, got->n) < 2e-5);
}

static void gradients(void **state) {
    (void)state;
    for (size_t i = 1; i < CASES;
         i++) { /* at E = 1 the slope of 1/sqrt(eps) is steeper than the step */
        struct layer l = layer_new(SIZES[i][0], SIZES[i][1], 0.5);
        struct pair dx = pair_normals(l.x.n, 6, 1.0), dgain = pair_normals(l.E, 7, 1.0);
        struct pair dbias = pair_normals(l.E, 8, 1.0), alone = pair_normals(l.x.n, 6, 1.0);
        forward(&l);
        layernorm_backward(dx.f, dgain.f, dbias.f, l.g.f, l.x.f, l.mean.f, l.rstd.f, l.gain.f, l.R,
                           l.E);
        layernorm_backward(alone.f, NULL, NULL, l.g.f, l.x.f, l.mean.f, l.rstd.f, l.gain.f, l.R,
                           l.E);
        assert_memory_equal(dx.f, alone.f, dx.n * sizeof(float));
        slopes_equal(&dx, &l.x, &l);
        slopes_equal(&dgain, &l.gain, &l);
        slopes_equal(&dbias, &l.bias, &l);
        pair_free(&dx), pair_free(&dgain), pair_free(&dbias), pair_free(&alone);
        layer_free(&l);
    }
}

/* A row alone, at another address, has the same bits as among others. */
static void rows_are_independent(void **state) {
    (void)state;
    struct layer l = layer_new(9, 33, 0.5);
    float y[40], mean, rstd;
    forward(&l);
    for (size_t r = 0; r < 9; r++) {
        layernorm_forward(y + r % 7, &mean, &rstd, l.x.f + r * 33, l.gain.f, l.bias.f, EPS, 1, 33);
        assert_memory_equal(y + r % 7, l.y.f + r * 33, 33 * sizeof(float));
        assert_true(mean == l.mean.f[r] && rstd == l.rstd.f[r]);
    }
    layer_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(far_from_zero),
                                       cmocka_unit_test(constant_row_gives_bias),
                                       cmocka_unit_test(gradients),
                                       cmocka_unit_test(rows_are_independent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
