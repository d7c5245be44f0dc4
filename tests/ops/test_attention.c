#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/attention.h"
#include "ops/blas.h"
#include "ops/softmax.h"
#include "twins/ops_twin.h"

/* B, T, H, D */
static const size_t SIZES[][4] = {
    {1, 1, 1, 1}, {2, 1, 3, 4}, {1, 7, 1, 5}, {2, 9, 8, 4}, {1, 18, 2, 16}};
enum { CASES = sizeof SIZES / sizeof SIZES[0] };

/* A layer and a scalar loss <g, z>. */
struct layer {
    size_t B, T, H, D;
    struct pair qkv, att, z, g;
};

static struct layer layer_new(const size_t s[4], double scale) {
    const size_t B = s[0], T = s[1], H = s[2], D = s[3], E = H * D;
    return (struct layer){B,
                          T,
                          H,
                          D,
                          pair_normals(B * T * 3 * E, 1, scale),
                          pair_filled(B * H * T * T, nan("")),
                          pair_filled(B * T * E, nan("")),
                          pair_normals(B * T * E, 2, 1.0)};
}

static void layer_free(struct layer *l) {
    pair_free(&l->qkv), pair_free(&l->att), pair_free(&l->z), pair_free(&l->g);
}

static double loss(void *context) {
    struct layer *l = context;
    twin_attention(l->z.d, NULL, l->qkv.d, l->B, l->T, l->H, l->D);
    return twin_dot(l->g.d, l->z.d, l->z.n);
}

static void values(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct layer l = layer_new(SIZES[i], 1.0);
        attention_forward(l.z.f, l.att.f, l.qkv.f, l.B, l.T, l.H, l.D);
        twin_attention(l.z.d, l.att.d, l.qkv.d, l.B, l.T, l.H, l.D);
        assert_true(twin_error(l.z.f, l.z.d, l.z.n) < 1e-5);
        assert_true(twin_error(l.att.f, l.att.d, l.att.n) < 1e-5);
        layer_free(&l);
    }
}

static void gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct layer l = layer_new(SIZES[i], 1.0);
        struct pair d = pair_filled(l.qkv.n, nan("")), scratch = pair_filled(l.T * l.T, nan(""));
        attention_forward(l.z.f, l.att.f, l.qkv.f, l.B, l.T, l.H, l.D);
        attention_backward(d.f, scratch.f, l.g.f, l.att.f, l.qkv.f, l.B, l.T, l.H, l.D);
        for (size_t j = 0; j < d.n; j++) d.d[j] = twin_slope(loss, &l, &l.qkv.d[j]);
        assert_true(twin_error(d.f, d.d, d.n) < 2e-5);
        pair_free(&d), pair_free(&scratch);
        layer_free(&l);
    }
}

/* What comes after a token cannot change it. */
static void later_tokens_are_unseen(void **state) {
    (void)state;
    const size_t size[4] = {1, 12, 2, 8};
    struct layer l = layer_new(size, 1.0), changed = layer_new(size, 1.0);
    for (size_t i = 7 * 48; i < 12 * 48; i++) changed.qkv.f[i] += 100.0f;
    attention_forward(l.z.f, l.att.f, l.qkv.f, 1, 12, 2, 8);
    attention_forward(changed.z.f, changed.att.f, changed.qkv.f, 1, 12, 2, 8);
    assert_memory_equal(l.z.f, changed.z.f, 7 * 16 * sizeof(float));
    assert_memory_not_equal(l.z.f + 7 * 16, changed.z.f + 7 * 16, 5 * 16 * sizeof(float));
    layer_free(&l), layer_free(&changed);
}

static void huge_scores_stay_finite(void **state) {
    (void)state;
    const size_t size[4] = {1, 10, 2, 8};
    struct layer l = layer_new(size, 100.0);
    attention_forward(l.z.f, l.att.f, l.qkv.f, 1, 10, 2, 8);
    twin_attention(l.z.d, l.att.d, l.qkv.d, 1, 10, 2, 8);
    assert_true(twin_error(l.att.f, l.att.d, l.att.n) < 1e-2); /* scores of 1e4 have 1e-3 error */
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

/* Every length: right, zero behind the values, the same bits whatever the room and the address,
 * and nothing written behind the room. */
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
                                       cmocka_unit_test(later_tokens_are_unseen),
                                       cmocka_unit_test(huge_scores_stay_finite),
                                       cmocka_unit_test(softmax_extremes),
                                       cmocka_unit_test(softmax_lengths)};
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
