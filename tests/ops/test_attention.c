#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/attention.h"
#include "ops/softmax.h"
#include "twins/ops_twin.h"

/* B, T, H, KV, D, step: within one tile, whole tiles, ragged ones, more than one of each kind;
 * KV 0: one key-value head a head, q, k and v of a head together. */
static const size_t SHAPES[][6] = {{1, 1, 1, 1, 1, 1},   {2, 1, 3, 3, 4, 2},   {1, 7, 1, 1, 5, 1},
                                   {2, 9, 8, 8, 4, 1},   {2, 9, 2, 2, 4, 3},   {1, 18, 2, 2, 16, 1},
                                   {1, 18, 2, 2, 16, 2}, {1, 37, 1, 1, 20, 2}, {1, 34, 1, 1, 33, 1},
                                   {2, 9, 6, 2, 4, 1},   {1, 18, 4, 1, 5, 1},  {1, 7, 4, 2, 18, 2},
                                   {2, 9, 3, 0, 4, 1},   {1, 11, 2, 0, 17, 2}};
enum { CASES = sizeof SHAPES / sizeof *SHAPES };

static struct attention_shape shape_of(const size_t s[6]) {
    const struct head_layout heads =
        s[3] > 0 ? head_layout_packed(s[2], s[3], s[4]) : head_layout_by_head(s[2], s[4]);
    return (struct attention_shape){s[0], s[1], s[5], heads};
}

/* A layer and a scalar loss <g, z>; z, g [B,T,E], E = H D; z.f and g.f hold the rows of the queries
 * only. */
struct layer {
    struct attention_shape s;
    size_t R, E;
    struct pair qkv, att, z, g, scratch;
};

static struct layer layer_new(const size_t size[6], double scale) {
    const struct attention_shape shape = shape_of(size), *s = &shape;
    const size_t H = s->heads.H, E = H * s->heads.D, rows = s->B * s->T;
    struct layer l = {shape,
                      (s->T + s->step - 1) / s->step,
                      E,
                      pair_normals(rows * s->heads.row, 1, scale),
                      pair_filled(rows * H * s->T, nan("")),
                      pair_filled(rows * E, nan("")),
                      pair_normals(rows * E, 2, 1.0),
                      pair_filled(attention_scratch(s->T, s->heads.D), nan(""))};
    for (size_t b = 0; b < s->B; b++) /* no loss at tokens that are no queries */
        for (size_t t = 0; t < s->T; t++) {
            double *g = l.g.d + (b * s->T + t) * E;
            if (t % s->step != 0) memset(g, 0, E * sizeof *g);
            for (size_t e = 0; e < E; e++) {
                float *row = l.g.f + (b * l.R + t / s->step) * E;
                if (t % s->step == 0) row[e] = (float)g[e];
            }
        }
    return l;
}

static void layer_free(struct layer *l) {
    pair_free(&l->qkv), pair_free(&l->att), pair_free(&l->z), pair_free(&l->g);
    pair_free(&l->scratch);
}

static void forward(struct layer *l) {
    attention_forward(l->z.f, l->att.f, l->scratch.f, l->qkv.f, &l->s);
}

static void twin(struct layer *l, double *att) {
    twin_attention(l->z.d, att, l->qkv.d, l->s.B, l->s.T, &l->s.heads);
}

static double loss(void *context) {
    struct layer *l = context;
    twin(l, NULL);
    return twin_dot(l->g.d, l->z.d, l->z.n);
}

/* Row r of head h of prompt b, against row r step of the twin's square. */
static void compare_row(const struct layer *l, size_t b, size_t h, size_t r, double tolerance) {
    const size_t T = l->s.T, t = r * l->s.step, bh = b * l->s.heads.H + h;
    const float *got = l->att.f + bh * attention_triangle(T, l->s.step);
    assert_true(twin_error(got + attention_row_start(r, l->s.step), l->att.d + (bh * T + t) * T,
                           t + 1) < tolerance);
    assert_true(twin_error(l->z.f + (b * l->R + r) * l->E, l->z.d + (b * T + t) * l->E, l->E) <
                tolerance);
}

static void compare_values(struct layer *l, double tolerance) {
    forward(l);
    twin(l, l->att.d);
    for (size_t b = 0; b < l->s.B; b++)
        for (size_t h = 0; h < l->s.heads.H; h++)
            for (size_t r = 0; r < l->R; r++) compare_row(l, b, h, r, tolerance);
}

static void values(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct layer l = layer_new(SHAPES[i], 1.0);
        compare_values(&l, 1e-5);
        layer_free(&l);
    }
}

static void gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct layer l = layer_new(SHAPES[i], 1.0);
        struct pair d = pair_filled(l.qkv.n, nan(""));
        forward(&l);
        attention_backward(d.f, l.scratch.f, l.g.f, l.att.f, l.qkv.f, &l.s);
        for (size_t j = 0; j < d.n; j++) d.d[j] = twin_slope(loss, &l, &l.qkv.d[j]);
        assert_true(twin_error(d.f, d.d, d.n) < 2e-5);
        pair_free(&d);
        layer_free(&l);
    }
}

/* Later tokens do not change the output of a token. */
static void later_tokens_do_not_matter(void **state) {
    (void)state;
    const size_t shape[] = {1, 12, 2, 2, 8, 1};
    struct layer l = layer_new(shape, 1.0), changed = layer_new(shape, 1.0);
    for (size_t i = 7 * 48; i < 12 * 48; i++) changed.qkv.f[i] += 100.0f;
    forward(&l), forward(&changed);
    assert_memory_equal(l.z.f, changed.z.f, 7 * 16 * sizeof(float));
    assert_memory_not_equal(l.z.f + 7 * 16, changed.z.f + 7 * 16, 5 * 16 * sizeof(float));
    layer_free(&l), layer_free(&changed);
}

/* The bits of a prompt depend neither on other prompts, nor on addresses, nor on later tokens. */
static void prompts_are_independent(void **state) {
    (void)state;
    const size_t all[] = {3, 21, 2, 2, 5, 1}, one[] = {1, 18, 2, 2, 5, 1};
    struct layer l = layer_new(all, 1.0), alone = layer_new(one, 1.0);
    forward(&l);
    for (size_t b = 0; b < 3; b++) {
        float z[18 * 10 + 1];
        attention_forward(z + b % 2, alone.att.f, alone.scratch.f, l.qkv.f + b * 21 * 30, &alone.s);
        assert_memory_equal(z + b % 2, l.z.f + b * 21 * 10, 18 * 10 * sizeof *z);
    }
    layer_free(&l), layer_free(&alone);
}

static void huge_scores_stay_finite(void **state) {
    (void)state;
    const size_t shape[] = {1, 10, 2, 2, 8, 1};
    struct layer l = layer_new(shape, 100.0);
    compare_values(&l, 1.0); /* scores of 1e4 have errors of 1e-3, values are of size 100 */
    layer_free(&l);
}

static void softmax_extremes(void **state) {
    (void)state;
    float x[] = {1e4f, -1e4f, 1e4f, -INFINITY}, one[] = {-1e4f}, bad[] = {0.0f, NAN, 1.0f};
    softmax_row(x, 4, 4);
    softmax_row(one, 1, 1);
    softmax_row(bad, 3, 3);
    assert_true(x[0] == 0.5f && x[1] == 0.0f && x[2] == 0.5f && x[3] == 0.0f);
    assert_true(one[0] == 1.0f);
    assert_true(isnan(bad[0]) && isnan(bad[1]) && isnan(bad[2]));
}

/* For every length: right values, zeros behind them, the same bits for any room and address, and
 * nothing written behind the room. */
static void softmax_lengths(void **state) {
    (void)state;
    for (size_t n = 1; n < 70; n++)
        for (size_t room = n; room < n + 12; room++) {
            struct pair x = pair_normals(n, n, 3.0), dp = pair_normals(n, n + 100, 1.0);
            float y[100], dy[100], *at = y + n % 9, *dat = dy + n % 7;
            for (size_t i = 0; i < 100; i++) y[i] = dy[i] = NAN;
            at[room] = dat[room] = 5.0f;
            memcpy(at, x.f, n * sizeof(float));
            memcpy(dat, dp.f, n * sizeof(float));
            softmax_row(x.f, n, n);
            softmax_row(at, n, room);
            softmax_row_backward(dp.f, x.f, 0.5f, n, n);
            softmax_row_backward(dat, at, 0.5f, n, room);
            twin_softmax(x.d, n);
            const double dot = twin_dot(dp.d, x.d, n);
            for (size_t i = 0; i < n; i++) dp.d[i] = 0.5 * x.d[i] * (dp.d[i] - dot);
            assert_true(twin_error(x.f, x.d, n) < 1e-6 && twin_error(dp.f, dp.d, n) < 1e-6);
            assert_memory_equal(at, x.f, n * sizeof(float));
            assert_memory_equal(dat, dp.f, n * sizeof(float));
            for (size_t i = n; i < room; i++) assert_true(at[i] == 0.0f && dat[i] == 0.0f);
            assert_true(at[room] == 5.0f && dat[room] == 5.0f);
            pair_free(&x), pair_free(&dp);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values),
                                       cmocka_unit_test(gradients),
                                       cmocka_unit_test(later_tokens_do_not_matter),
                                       cmocka_unit_test(prompts_are_independent),
                                       cmocka_unit_test(huge_scores_stay_finite),
                                       cmocka_unit_test(softmax_extremes),
                                       cmocka_unit_test(softmax_lengths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
