#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/blas.h"
#include "ops/half_lanes.h"
#include "ops/weight.h"
#include "twins/ops_twin.h"

/* A map whose matrix is stored in one of the three types, and a scalar loss <g, y>. */
struct layer {
    size_t N, I, O, ldy;
    struct weight_map map;
    struct pair x, W, b, g, y;
    unsigned char *narrow;
};

/* The last ones do not fit one tile: rows of a matrix [O,I], columns of a matrix [I,O]. */
static const size_t SIZES[][3] = {{1, 1, 1}, {5, 3, 7}, {33, 16, 20}, {3, 5000, 211}};
enum { CASES = sizeof SIZES / sizeof SIZES[0] };

static uint16_t narrow_one(float x, enum weight_type type) {
    uint32_t bits;
    if (type == WEIGHT_F16) return half_lanes_narrow_one(x);
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static float widen_one(uint16_t bits, enum weight_type type) {
    return type == WEIGHT_F16 ? half_lanes_widen_one(bits) : half_lanes_float((uint32_t)bits << 16);
}

/* The twin sees the stored numbers. They begin at an odd address, as in some files. */
static void store(struct layer *l, enum weight_type type) {
    l->narrow = malloc(2 * l->W.n + 1);
    l->map.W.tile = malloc(WEIGHT_TILE * sizeof(float));
    assert_true(l->narrow && l->map.W.tile);
    for (size_t i = 0; i < l->W.n; i++) {
        const uint16_t bits = narrow_one(l->W.f[i], type);
        memcpy(l->narrow + 1 + 2 * i, &bits, sizeof bits);
        l->W.d[i] = (double)(l->W.f[i] = widen_one(bits, type));
    }
    l->map.W.narrow = l->narrow + 1;
    l->map.W.type = type;
}

static struct layer layer_new(const size_t size[3], enum linear_layout layout,
                              enum weight_type type) {
    const size_t N = size[0], I = size[1], O = size[2], ldy = O + 3;
    struct layer l = {.N = N, .I = I, .O = O, .ldy = ldy};
    l.x = pair_normals(N * I, 1, 1.0);
    l.W = pair_normals(I * O, 2, 0.3);
    l.b = pair_normals(O, 3, 1.0);
    l.g = pair_normals(N * ldy, 4, 1.0);
    l.y = pair_filled(N * ldy, 5.0);
    l.map = (struct weight_map){.b = l.b.f, .I = I, .O = O, .layout = layout};
    if (type == WEIGHT_F32)
        l.map.W = weight_floats(l.W.f);
    else
        store(&l, type);
    return l;
}

static void layer_free(struct layer *l) {
    free(l->narrow);
    free(l->map.W.tile);
    pair_free(&l->x), pair_free(&l->W), pair_free(&l->b), pair_free(&l->g), pair_free(&l->y);
}

static struct layer layer_of_case(size_t i) {
    return layer_new(SIZES[i / 6], i % 2 ? LINEAR_OUT_IN : LINEAR_IN_OUT,
                     (enum weight_type)(i / 2 % 3));
}

/* y rows without their gaps. */
static void compare(const struct layer *l, const double *want, double tolerance) {
    for (size_t n = 0; n < l->N; n++) {
        assert_true(twin_error(l->y.f + n * l->ldy, want + n * l->O, l->O) < tolerance);
        for (size_t i = l->O; i < l->ldy; i++) assert_true(l->y.f[n * l->ldy + i] == 5.0f);
    }
}

static void values(void **state) {
    (void)state;
    for (size_t i = 0; i < 6 * CASES; i++) {
        struct layer l = layer_of_case(i);
        struct pair want = pair_filled(l.N * l.O, 0), onto = pair_normals(l.N * l.O, 9, 1.0);
        float *y = malloc(l.N * l.O * sizeof *y);
        assert_non_null(y);
        weight_forward(l.y.f, l.ldy, l.x.f, &l.map, l.N);
        twin_linear(want.d, l.x.d, l.W.d, l.b.d, l.N, l.I, l.O, l.map.layout == LINEAR_OUT_IN);
        compare(&l, want.d, 2e-5);
        weight_forward_onto(y, onto.f, l.x.f, &l.map, l.N);
        for (size_t j = 0; j < want.n; j++) want.d[j] += onto.d[j];
        assert_true(twin_error(y, want.d, want.n) < 2e-5);
        l.map.b = NULL;
        weight_forward(l.y.f, l.ldy, l.x.f, &l.map, l.N);
        twin_linear(want.d, l.x.d, l.W.d, NULL, l.N, l.I, l.O, l.map.layout == LINEAR_OUT_IN);
        compare(&l, want.d, 2e-5);
        free(y);
        pair_free(&want), pair_free(&onto);
        layer_free(&l);
    }
}

/* dx = dy W^T, dW = x^T dy and db = sum of dy, by the definition. */
static void gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < 6 * CASES; i++) {
        struct layer l = layer_of_case(i);
        const size_t I = l.I, O = l.O;
        struct pair dx = pair_filled(l.N * I, 2.0), dW = pair_filled(I * O, 1.0);
        struct pair db = pair_filled(O, 1.0);
        weight_backward(dx.f, 1.0f, l.g.f, l.ldy, &l.map, l.N);
        weight_gradient(dW.f, db.f, l.g.f, l.ldy, l.x.f, &l.map, l.N);
        for (size_t n = 0; n < l.N; n++)
            for (size_t o = 0; o < O; o++) {
                const double g = l.g.d[n * l.ldy + o];
                db.d[o] += g;
                for (size_t k = 0; k < I; k++) {
                    const size_t at = l.map.layout == LINEAR_OUT_IN ? o * I + k : k * O + o;
                    dx.d[n * I + k] += g * l.W.d[at];
                    dW.d[at] += g * l.x.d[n * I + k];
                }
            }
        assert_true(twin_error(dx.f, dx.d, dx.n) < 2e-5);
        assert_true(twin_error(dW.f, dW.d, dW.n) < 2e-5);
        assert_true(twin_error(db.f, db.d, db.n) < 2e-5);
        weight_backward(dx.f, 0.0f, l.g.f, l.ldy, &l.map, l.N);
        for (size_t j = 0; j < dx.n; j++) dx.d[j] -= 2.0;
        assert_true(twin_error(dx.f, dx.d, dx.n) < 2e-5);
        pair_free(&dx), pair_free(&dW), pair_free(&db);
        layer_free(&l);
    }
}

/* A matrix of floats has the bits of the float maps, with which models were trained. */
static void floats_have_the_bits_of_linear(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * CASES; i++) {
        struct layer l = layer_new(SIZES[i / 2], i % 2 ? LINEAR_OUT_IN : LINEAR_IN_OUT, WEIGHT_F32);
        const size_t N = l.N, I = l.I, O = l.O;
        struct pair a = pair_filled(N * O, 0), b = pair_filled(N * O, 0);
        struct pair da = pair_filled(N * I, 0), db = pair_filled(N * I, 0);
        weight_forward(a.f, O, l.x.f, &l.map, N);
        linear_forward(b.f, l.x.f, l.W.f, l.b.f, N, I, O, l.map.layout);
        assert_memory_equal(a.f, b.f, N * O * sizeof(float));
        weight_forward_onto(a.f, l.g.f, l.x.f, &l.map, N);
        linear_forward_onto(b.f, l.g.f, l.x.f, l.W.f, l.b.f, N, I, O, l.map.layout);
        assert_memory_equal(a.f, b.f, N * O * sizeof(float));
        weight_backward(da.f, 0.0f, l.g.f, O, &l.map, N);
        linear_backward(db.f, NULL, NULL, l.g.f, NULL, l.W.f, N, I, O, l.map.layout);
        assert_memory_equal(da.f, db.f, N * I * sizeof(float));
        pair_free(&a), pair_free(&b), pair_free(&da), pair_free(&db);
        layer_free(&l);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(gradients),
                                       cmocka_unit_test(floats_have_the_bits_of_linear)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
