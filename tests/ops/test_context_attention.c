#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/attention.h"
#include "ops/blas.h"
#include "ops/context_attention.h"
#include "ops/half_lanes.h"
#include "twins/ops_twin.h"

/* Contexts, query rows over them, and a scalar loss <g, z>. */
struct stream {
    size_t B, T, H, D, R, row;
    struct context_layout kept;
    struct pair context, kv, qkv, att, z, g;
    uint32_t prompt[64], tokens[64];
};

/* B, T, H, D, R, precision, KV (0: one a head, q, k and v of a head together) */
static const size_t SIZES[][7] = {
    {1, 1, 1, 1, 2, CONTEXT_SINGLE, 1},   {2, 5, 1, 3, 6, CONTEXT_SINGLE, 1},
    {3, 16, 8, 4, 7, CONTEXT_SINGLE, 8},  {2, 17, 2, 16, 36, CONTEXT_SINGLE, 2},
    {1, 41, 3, 7, 9, CONTEXT_SINGLE, 3},  {2, 70, 2, 32, 4, CONTEXT_SINGLE, 2},
    {1, 37, 1, 64, 3, CONTEXT_SINGLE, 1}, {1, 20, 1, 128, 2, CONTEXT_SINGLE, 1},
    {2, 5, 1, 3, 6, CONTEXT_HALF, 1},     {2, 17, 2, 16, 36, CONTEXT_HALF, 2},
    {2, 70, 2, 32, 4, CONTEXT_HALF, 2},   {1, 37, 1, 64, 3, CONTEXT_HALF, 1},
    {1, 41, 3, 7, 9, CONTEXT_HALF, 3},    {2, 17, 6, 16, 8, CONTEXT_SINGLE, 2},
    {3, 9, 4, 5, 7, CONTEXT_HALF, 1},     {2, 17, 3, 8, 9, CONTEXT_SINGLE, 0}};
enum { CASES = sizeof SIZES / sizeof SIZES[0], SINGLE_CASE = 3, HALF_CASE = 9, GROUPED_CASE = 13 };

/* Rounds keys and values (and queries, which nothing reads) to halves, so that the twin sees the
 * stored numbers. */
static void round_context(struct pair *context) {
    for (size_t i = 0; i < context->n; i++) {
        context->f[i] = half_lanes_widen_one(half_lanes_narrow_one(context->f[i]));
        context->d[i] = (double)context->f[i];
    }
}

static struct pair kv_new(size_t B, const struct context_layout *kept) {
    return pair_filled(B * context_layout_stride(kept) / sizeof(float), nan(""));
}

static struct stream stream_new(const size_t s[7]) {
    const size_t B = s[0], T = s[1], H = s[2], D = s[3], R = s[4], E = H * D;
    struct stream x = {.B = B, .T = T, .H = H, .D = D, .R = R};
    x.kept = (struct context_layout){.heads = s[6] > 0 ? head_layout_packed(H, s[6], D)
                                                       : head_layout_by_head(H, D),
                                     .capacity = context_layout_capacity(T),
                                     .precision = (enum context_precision)s[5]};
    x.row = x.kept.heads.row;
    x.context = pair_normals(B * T * x.row, 1, 1.0);
    if (s[5] == CONTEXT_HALF) round_context(&x.context);
    x.kv = kv_new(B, &x.kept);
    x.qkv = pair_normals(R * x.row, 2, 1.0);
    x.att = pair_filled(R * H * (x.kept.capacity + 1), nan(""));
    x.z = pair_filled(R * E, nan(""));
    x.g = pair_normals(R * E, 3, 1.0);
    for (size_t r = 0; r < R; r++) {
        x.prompt[r] = (uint32_t)(r * 7 % B);
        x.tokens[r] = (uint32_t)(r * 5 % (T + 1));
    }
    context_layout_pack(x.kv.f, x.context.f, B, T, &x.kept);
    return x;
}

static void stream_free(struct stream *x) {
    pair_free(&x->context), pair_free(&x->kv), pair_free(&x->qkv), pair_free(&x->att);
    pair_free(&x->z), pair_free(&x->g);
}

static void attend(struct stream *x) {
    context_attention_forward(x->z.f, x->att.f, x->qkv.f, x->kv.f, x->prompt, x->tokens, NULL, x->R,
                              &x->kept);
}

static void attend_backward(struct pair *dqkv, struct stream *x) {
    struct pair scratch = pair_filled(x->kept.capacity + 1, nan(""));
    context_attention_backward(dqkv->f, scratch.f, x->g.f, x->att.f, x->qkv.f, x->kv.f, x->prompt,
                               x->tokens, NULL, x->R, &x->kept);
    pair_free(&scratch);
}

static double loss(void *context) {
    struct stream *x = context;
    twin_context_attend(x->z.d, x->qkv.d, x->context.d, x->prompt, x->tokens, x->R, x->T,
                        &x->kept.heads);
    return twin_dot(x->g.d, x->z.d, x->z.n);
}

static void values(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct stream x = stream_new(SIZES[i]);
        attend(&x);
        loss(&x);
        assert_true(twin_error(x.z.f, x.z.d, x.z.n) < 1e-5);
        stream_free(&x);
    }
}

static void gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct stream x = stream_new(SIZES[i]);
        struct pair d = pair_filled(x.qkv.n, nan(""));
        attend(&x);
        attend_backward(&d, &x);
        for (size_t j = 0; j < d.n; j++) d.d[j] = twin_slope(loss, &x, &x.qkv.d[j]);
        assert_true(twin_error(d.f, d.d, d.n) < 2e-5);
        pair_free(&d);
        stream_free(&x);
    }
}

/* Token t of a full pass, as a query over the t tokens before it: every t. */
static void equals_full_attention(void **state) {
    (void)state;
    const size_t size[7] = {1, 33, 4, 8, 33, CONTEXT_SINGLE, 4}, E = 32, T = 33;
    struct stream x = stream_new(size);
    const struct attention_shape shape = {1, T, 1, x.kept.heads};
    struct pair z = pair_filled(T * E, nan("")), att = pair_filled(4 * T * T, nan(""));
    struct pair scratch = pair_filled(attention_scratch(T, 8), nan(""));
    attention_forward(z.f, att.f, scratch.f, x.context.f, &shape);
    for (size_t t = 0; t < T; t++) x.tokens[t] = (uint32_t)t;
    memcpy(x.qkv.f, x.context.f, T * 3 * E * sizeof(float));
    attend(&x);
    for (size_t i = 0; i < T * E; i++) z.d[i] = (double)z.f[i];
    assert_true(twin_error(x.z.f, z.d, T * E) < 1e-6);
    for (size_t t = 0; t < T; t++)
        for (size_t h = 0; h < 4; h++)
            for (size_t j = 0; j <= t; j++)
                assert_true(fabs((double)(att.f[h * attention_triangle(T, 1) +
                                                attention_row_start(t, 1) + j] -
                                          x.att.f[(t * 4 + h) * (x.kept.capacity + 1) + j])) <
                            1e-6);
    pair_free(&z), pair_free(&att), pair_free(&scratch);
    stream_free(&x);
}

/* Each row alone, over a context whose unseen tokens are NaN, has the same bits, forward and
 * backward. */
static void rows_alone(const size_t size[7]) {
    struct stream x = stream_new(size);
    struct pair d = pair_filled(x.qkv.n, 0.0);
    const size_t E = x.H * x.D;
    attend(&x);
    attend_backward(&d, &x);
    for (size_t r = 0; r < x.R; r++) {
        const size_t one[7] = {x.B, x.T, x.H, x.D, 1, x.kept.precision, size[6]};
        const size_t seen = x.tokens[r], row = x.row;
        struct stream y = stream_new(one);
        struct pair dy = pair_filled(y.qkv.n, 0.0);
        y.prompt[0] = x.prompt[r], y.tokens[0] = x.tokens[r];
        memcpy(y.qkv.f, x.qkv.f + r * row, row * sizeof(float));
        memcpy(y.g.f, x.g.f + r * E, E * sizeof(float));
        for (size_t b = 0; b < y.B; b++)
            for (size_t i = seen * row; i < y.T * row; i++) y.context.f[b * y.T * row + i] = NAN;
        context_layout_pack(y.kv.f, y.context.f, y.B, y.T, &y.kept);
        attend(&y);
        attend_backward(&dy, &y);
        assert_memory_equal(y.z.f, x.z.f + r * E, E * sizeof(float));
        assert_memory_equal(dy.f, d.f + r * row, row * sizeof(float));
        pair_free(&dy);
        stream_free(&y);
    }
    pair_free(&d);
    stream_free(&x);
}

static void rows_are_independent(void **state) {
    (void)state;
    rows_alone(SIZES[SINGLE_CASE]);
    rows_alone(SIZES[HALF_CASE]);
    rows_alone(SIZES[GROUPED_CASE]);
}

/* Unused capacity of a context changes no bit. */
static void capacity_does_not_matter(void **state) {
    (void)state;
    struct stream x = stream_new(SIZES[SINGLE_CASE]), y = stream_new(SIZES[SINGLE_CASE]);
    attend(&x);
    y.kept.capacity += context_layout_capacity(40);
    pair_free(&y.kv), pair_free(&y.att);
    y.kv = kv_new(y.B, &y.kept);
    y.att = pair_filled(y.R * y.H * (y.kept.capacity + 1), nan(""));
    context_layout_pack(y.kv.f, y.context.f, y.B, y.T, &y.kept);
    attend(&y);
    assert_memory_equal(x.z.f, y.z.f, x.z.n * sizeof(float));
    stream_free(&x), stream_free(&y);
}

/* Numbers beyond the range of halves are stored as 65504, so results stay finite. */
static void huge_halves_stay_finite(void **state) {
    (void)state;
    const size_t size[7] = {1, 9, 1, 8, 1, CONTEXT_HALF, 1};
    struct stream x = stream_new(size);
    x.tokens[0] = 9;
    for (size_t t = 0; t < 9; t++) x.context.f[t * 24 + 8] = 1e6f, x.context.f[t * 24 + 16] = -1e6f;
    context_layout_pack(x.kv.f, x.context.f, 1, 9, &x.kept);
    attend(&x);
    for (size_t i = 0; i < x.z.n; i++) assert_true(isfinite(x.z.f[i]));
    assert_true(fabs((double)x.z.f[0]) <= 65504.0);
    stream_free(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values),
                                       cmocka_unit_test(gradients),
                                       cmocka_unit_test(equals_full_attention),
                                       cmocka_unit_test(rows_are_independent),
                                       cmocka_unit_test(capacity_does_not_matter),
                                       cmocka_unit_test(huge_halves_stay_finite)};
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
