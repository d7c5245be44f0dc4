#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/bfloat.h"
#include "ops/blas.h"
#include "ops/weight_pack.h"
#include "twins/ops_twin.h"

/* Errors relative to the largest value. Of one product of floats they are at most 3 * 2^-18 in
 * three parts and 2^-8 in one; sums have smaller ones. */
static const struct {
    enum arithmetic arithmetic;
    double limit, least; /* the error is above `least`, so that it is this arithmetic */
} CASES[] = {{ARITHMETIC_BF16X3, 1e-5, 1e-7},
             {ARITHMETIC_BF16X2, 1e-2, 1e-4},
             {ARITHMETIC_BF16, 1e-2, 1e-4}};

/* Not all rows fill a block; more outputs than a tile; wide enough that rows come in two blocks. */
static const struct {
    size_t N, I, O;
    enum linear_layout layout;
} SIZES[] = {{300, 64, 192, LINEAR_IN_OUT},
             {17, 256, 96, LINEAR_OUT_IN},
             {45, 24, 2100, LINEAR_IN_OUT},
             {7, 40, 2050, LINEAR_OUT_IN}};
enum { N_SIZES = sizeof SIZES / sizeof *SIZES, N_CASES = sizeof CASES / sizeof *CASES };

/* The library, or NULL, with a line, where it or the CPU lacks what is needed. */
static struct products *open_or_skip(enum arithmetic a) {
    struct products *p = NULL;
    struct err err = {0};
    if (products_open(&p, a, &err) == ERR_OK) return p;
    assert_int_equal(err.code, ERR_CONFIG);
    fprintf(stderr, "skipped: %s\n", err.msg);
    skip();
    return NULL;
}

struct scene {
    size_t N, I, O;
    struct weight_map map;
    struct weight_pack *pack;
    struct pair x, W, b, g;
};

static struct scene scene_new(struct products *p, size_t i) {
    struct err err = {0};
    struct scene s = {.N = SIZES[i].N, .I = SIZES[i].I, .O = SIZES[i].O};
    s.x = pair_normals(s.N * s.I, 1, 1.0);
    s.W = pair_normals(s.I * s.O, 2, 0.3);
    s.b = pair_normals(s.O, 3, 1.0);
    s.g = pair_normals(s.N * s.O, 4, 1.0);
    s.map = (struct weight_map){
        .W = weight_floats(s.W.f), .b = s.b.f, .I = s.I, .O = s.O, .layout = SIZES[i].layout};
    const struct weight_pack_request q = {.ldy = s.O, .trains = true};
    assert_int_equal(weight_pack_create(&s.pack, p, &s.map, &q, &err), ERR_OK);
    s.map.W.pack = s.pack;
    return s;
}

static void scene_free(struct scene *s) {
    weight_pack_destroy(s->pack, &s->map);
    pair_free(&s->x), pair_free(&s->W), pair_free(&s->b), pair_free(&s->g);
}

/* Largest difference over the largest value. */
static double relative(const float *got, const double *want, size_t n) {
    double most = 0, off = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(want[i]));
        off = fmax(off, isfinite(got[i]) ? fabs((double)got[i] - want[i]) : (double)INFINITY);
    }
    return off / most;
}

static void check_error(const char *what, size_t c, const struct pair *got, const double *want) {
    const double error = relative(got->f, want, got->n);
    if (error < CASES[c].limit && error > CASES[c].least) return;
    fail_msg("%s in %s: relative error %g", what, arithmetic_name(CASES[c].arithmetic), error);
}

static void check_forward(const struct scene *s, size_t c) {
    struct pair y = pair_filled(s->N * s->O, 7.0), want = pair_filled(s->N * s->O, 0);
    weight_forward(y.f, s->O, s->x.f, &s->map, s->N);
    twin_linear(want.d, s->x.d, s->W.d, s->b.d, s->N, s->I, s->O, s->map.layout == LINEAR_OUT_IN);
    check_error("forward", c, &y, want.d);
    pair_free(&y), pair_free(&want);
}

static void check_backward(const struct scene *s, size_t c) {
    const size_t I = s->I, O = s->O;
    struct pair dx = pair_filled(s->N * I, 2.0), dW = pair_filled(I * O, 1.0);
    struct pair wanted_dx = pair_filled(s->N * I, 0), wanted_dW = pair_filled(I * O, 1.0);
    weight_backward(dx.f, 0.0f, s->g.f, O, &s->map, s->N);
    weight_gradient(dW.f, NULL, s->g.f, O, s->x.f, &s->map, s->N);
    for (size_t n = 0; n < s->N; n++)
        for (size_t o = 0; o < O; o++)
            for (size_t k = 0; k < I; k++) {
                const size_t at = s->map.layout == LINEAR_OUT_IN ? o * I + k : k * O + o;
                wanted_dx.d[n * I + k] += s->g.d[n * O + o] * s->W.d[at];
                wanted_dW.d[at] += s->g.d[n * O + o] * s->x.d[n * I + k];
            }
    check_error("gradient of rows", c, &dx, wanted_dx.d);
    check_error("gradient of weights", c, &dW, wanted_dW.d);
    pair_free(&dx), pair_free(&dW), pair_free(&wanted_dx), pair_free(&wanted_dW);
}

static void errors(void **state) {
    (void)state;
    for (size_t c = 0; c < N_CASES; c++) {
        struct products *p = open_or_skip(CASES[c].arithmetic);
        for (size_t i = 0; i < N_SIZES; i++) {
            struct scene s = scene_new(p, i);
            check_forward(&s, c);
            check_backward(&s, c);
            scene_free(&s);
        }
        products_close(p);
    }
}

/* The bits of a row depend neither on its place nor on the number of rows. */
static void rows_alone(void **state) {
    enum { ROWS = 620, I = 256, O = 96 };
    static const size_t CUTS[] = {1, 16, 31, 32, 33, 257, 300};
    (void)state;
    struct products *p = open_or_skip(ARITHMETIC_BF16X3);
    struct err err = {0};
    struct pair x = pair_normals(ROWS * I, 1, 1.0), W = pair_normals(I * O, 2, 0.3);
    struct pair all = pair_filled(ROWS * O, 0), some = pair_filled(ROWS * O, 0);
    struct weight_map m = {.W = weight_floats(W.f), .I = I, .O = O};
    struct weight_pack *pack;
    const struct weight_pack_request q = {.ldy = O};
    assert_int_equal(weight_pack_create(&pack, p, &m, &q, &err), ERR_OK);
    m.W.pack = pack;
    weight_forward(all.f, O, x.f, &m, ROWS);
    for (size_t i = 0; i < sizeof CUTS / sizeof *CUTS; i++) {
        weight_forward(some.f, O, x.f, &m, CUTS[i]);
        weight_forward(some.f + CUTS[i] * O, O, x.f + CUTS[i] * I, &m, ROWS - CUTS[i]);
        assert_memory_equal(some.f, all.f, all.n * sizeof *all.f);
    }
    weight_pack_destroy(pack, &m);
    pair_free(&x), pair_free(&W), pair_free(&all), pair_free(&some);
    products_close(p);
}

/* A part of a matrix by its own tiles, and new numbers after a step of training. */
static void parts_and_new_numbers(void **state) {
    enum { V = 2 * WEIGHT_PACK_TILE + 10, E = 16, N = 5 };
    (void)state;
    struct products *p = open_or_skip(ARITHMETIC_BF16X3);
    struct err err = {0};
    struct pair x = pair_normals(N * E, 1, 1.0), W = pair_normals(V * E, 2, 0.3);
    struct pair y = pair_filled(N * 10, 0), want = pair_filled(N * 10, 0);
    struct weight_map m = {.W = weight_floats(W.f), .I = E, .O = V, .layout = LINEAR_OUT_IN};
    struct weight_pack *pack;
    const struct weight_pack_request q = {.tiled = true};
    assert_int_equal(weight_pack_create(&pack, p, &m, &q, &err), ERR_OK);
    m.W.pack = pack;
    const struct weight_map part = weight_map_part(&m, 2 * WEIGHT_PACK_TILE, 10);
    for (size_t round = 0; round < 2; round++) {
        weight_forward(y.f, 10, x.f, &part, N);
        twin_linear(want.d, x.d, W.d + 2 * WEIGHT_PACK_TILE * E, NULL, N, E, 10, true);
        assert_true(relative(y.f, want.d, y.n) < 3e-5);
        for (size_t i = 0; i < W.n; i++) W.d[i] = (double)(W.f[i] = 1.0f - 2.0f * W.f[i]);
        assert_int_equal(weight_pack_fill(pack, &m, &err), ERR_OK);
    }
    weight_pack_destroy(pack, &m);
    pair_free(&x), pair_free(&W), pair_free(&y), pair_free(&want);
    products_close(p);
}

/* By the f32 GEMM of the library. */
static void floats_by_onednn(void **state) {
    enum { N = 50, I = 64, O = 192 };
    (void)state;
    struct products *p = open_or_skip(ARITHMETIC_F32);
    struct pair x = pair_normals(N * I, 1, 1.0), W = pair_normals(I * O, 2, 0.3);
    struct pair y = pair_filled(N * O, 3.0), want = pair_filled(N * O, 0);
    struct weight_map m = {.W = weight_floats(W.f), .I = I, .O = O};
    m.W.library = p->library;
    weight_forward(y.f, O, x.f, &m, N);
    twin_linear(want.d, x.d, W.d, NULL, N, I, O, false);
    assert_true(relative(y.f, want.d, y.n) < 2e-6);
    pair_free(&x), pair_free(&W), pair_free(&y), pair_free(&want);
    products_close(p);
}

static void rounding(void **state) {
    (void)state;
    const float x[] = {1.0f, 1.00390625f, -3.3333333f, 1e-38f, INFINITY, -NAN};
    uint16_t high[6], low[6];
    bfloat_high(high, x, 6);
    bfloat_low(low, x, 6);
    assert_int_equal(high[0], 0x3f80);
    assert_int_equal(high[1], 0x3f80); /* a tie goes to the even one */
    for (size_t i = 0; i < 4; i++) {
        const float rest = x[i] - bfloat_widen(high[i]) - bfloat_widen(low[i]);
        assert_true(fabsf(rest) <= 0x1p-17f * fabsf(x[i]) + 1e-40f);
    }
    assert_true(isinf(bfloat_widen(high[4])));
    assert_true(isnan(bfloat_widen(high[5])) && isnan(bfloat_widen(low[4])));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(rows_alone),
        cmocka_unit_test(parts_and_new_numbers),
        cmocka_unit_test(floats_by_onednn),
        cmocka_unit_test(rounding),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
