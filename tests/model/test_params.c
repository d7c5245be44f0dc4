#include "model/tiny.h"

#include <math.h>
#include <stdlib.h>

static struct err err;

static void every_tensor_is_in_the_block(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    const size_t n = params_count(&TINY);
    unsigned char *seen = calloc(n, 1);
    size_t weights = 0;
    assert_non_null(seen);
    for (size_t i = 0; i < params_tensors(&TINY); i++) {
        struct param_info t;
        params_at(&t, &p, i);
        assert_int_equal((uintptr_t)t.data % ARENA_ALIGN, 0);
        assert_true(t.data >= p.block && t.data + tensor_size(&t) <= p.block + n);
        for (size_t j = 0; j < tensor_size(&t); j++)
            assert_int_equal(seen[(size_t)(t.data - p.block) + j]++, 0);
        weights += tensor_size(&t);
    }
    for (size_t j = 0; j < n; j++)
        if (!seen[j]) assert_true(p.block[j] == 0.0f);
    assert_int_equal(weights, params_weights(&TINY));
    free(seen);
    params_destroy(&p);
    params_destroy(&p);
}

static void names_and_shapes_are_the_published_ones(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct param_info t;
    params_at(&t, &p, 36);
    assert_string_equal(t.name, "_read_in.weight");
    assert_int_equal(t.rank, 2);
    assert_int_equal(t.shape[0], 8);
    assert_int_equal(t.shape[1], 3);
    assert_ptr_equal(t.data, p.read_in_w);
    params_at(&t, &p, 42);
    assert_string_equal(t.name, "_read_out.bias");
    assert_int_equal(t.rank, 1);
    assert_ptr_equal(t.data, p.read_out_b);
    params_at(&t, &p, 34);
    assert_string_equal(t.name, "_backbone.h.2.mlp.c_proj.weight");
    assert_int_equal(t.shape[0], 32);
    assert_int_equal(t.shape[1], 8);
    assert_ptr_equal(t.data, p.layers[2].mlp_w.f32);
    params_destroy(&p);
}

/* Garg et al.'s model: 9,529,344 parameters of the backbone, 5,376 of the read-in, 257 of the
 * read-out. */
static void the_published_model_has_its_size(void **state) {
    (void)state;
    const struct model_dims d = {
        .L = 12, .H = 8, .E = 256, .inputs = 20, .positions = 202, .epsilon = 1e-5f};
    assert_int_equal(params_weights(&d), 9534977);
}

static double deviation(const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sqrt(sum / (double)n);
}

static void initial_weights_have_their_distribution(void **state) {
    (void)state;
    const struct model_dims d = {
        .L = 2, .H = 4, .E = 64, .inputs = 5, .positions = 40, .epsilon = 1e-5f};
    struct params p;
    SUCCEEDS(params_create(&p, &d, &err));
    params_init(&p, 7);
    assert_true(fabs(deviation(p.wpe, 40 * 64) - 0.02) < 0.001);
    assert_true(fabs(deviation(p.layers[0].attn_w.f32, 64 * 192) - 0.02) < 0.0005);
    assert_true(fabs(deviation(p.layers[1].fc_w.f32, 64 * 256) - 0.02) < 0.0005);
    assert_true(fabs(deviation(p.layers[0].proj_w.f32, 64 * 64) - 0.01) < 0.0005);
    assert_true(fabs(deviation(p.layers[1].mlp_w.f32, 64 * 256) - 0.01) < 0.0003);
    assert_true(fabs(deviation(p.read_in_w, 64 * 5) - 1 / sqrt(15.0)) < 0.03);
    assert_true(fabs(deviation(p.read_in_b, 64) - 1 / sqrt(15.0)) < 0.05);
    assert_true(fabs(deviation(p.read_out_w, 64) - 1 / sqrt(192.0)) < 0.015);
    for (size_t i = 0; i < 64 * 5; i++) assert_true(fabsf(p.read_in_w[i]) <= 1 / sqrtf(5));
    for (size_t i = 0; i < 64; i++) {
        assert_true(fabsf(p.read_out_w[i]) <= 0.125f);
        assert_true(p.ln_f_w[i] == 1 && p.layers[1].ln_1_w[i] == 1 && p.layers[0].ln_2_w[i] == 1);
        assert_true(p.ln_f_b[i] == 0 && p.layers[1].ln_1_b[i] == 0 && p.layers[0].mlp_b[i] == 0);
        assert_true(p.layers[1].attn_b[i] == 0 && p.layers[1].fc_b[i] == 0);
    }
    params_destroy(&p);
}

static void initial_weights_depend_on_seed_and_name_alone(void **state) {
    (void)state;
    struct model_dims longer = TINY, deeper = TINY;
    longer.positions = 30;
    deeper.L = 2 * TINY.L;
    struct params p, q, r, s;
    SUCCEEDS(params_create(&p, &TINY, &err));
    SUCCEEDS(params_create(&q, &longer, &err));
    SUCCEEDS(params_create(&r, &TINY, &err));
    SUCCEEDS(params_create(&s, &deeper, &err));
    params_init(&p, 7);
    params_init(&q, 7);
    params_init(&r, 8);
    params_init(&s, 7);
    assert_memory_equal(p.wpe, q.wpe, TINY.positions * TINY.E * sizeof(float));
    assert_memory_equal(p.read_in_w, q.read_in_w, TINY.E * TINY.inputs * sizeof(float));
    assert_memory_equal(p.layers[2].fc_w.f32, s.layers[2].fc_w.f32, sizeof(float) * 4 * 64);
    assert_memory_not_equal(p.wpe, r.wpe, TINY.E * sizeof(float));
    assert_memory_not_equal(p.read_out_w, r.read_out_w, TINY.E * sizeof(float));
    assert_memory_not_equal(p.layers[0].fc_w.f32, p.layers[1].fc_w.f32, TINY.E * sizeof(float));
    params_destroy(&p);
    params_destroy(&q);
    params_destroy(&r);
    params_destroy(&s);
}

/* Published checkpoints were trained from these weights, so they must never change. */
static void initial_weights_never_change(void **state) {
    (void)state;
    struct params p;
    SUCCEEDS(params_create(&p, &TINY, &err));
    params_init(&p, 7);
    const float got[] = {p.wpe[0], p.wpe[9], p.read_in_w[4], p.read_out_b[0],
                         p.layers[1].mlp_w.f32[11]};
    const float want[] = {0.0107380403f, 0.00470221508f, 0.342764556f, 0.0939855725f,
                          -0.00371328183f};
    for (size_t i = 0; i < sizeof got / sizeof *got; i++)
        if (fabsf(got[i] - want[i]) > 1e-7f)
            fail_msg("number %zu: %.9g, expected %.9g", i, (double)got[i], (double)want[i]);
    params_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tensor_is_in_the_block),
        cmocka_unit_test(names_and_shapes_are_the_published_ones),
        cmocka_unit_test(the_published_model_has_its_size),
        cmocka_unit_test(initial_weights_have_their_distribution),
        cmocka_unit_test(initial_weights_depend_on_seed_and_name_alone),
        cmocka_unit_test(initial_weights_never_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
