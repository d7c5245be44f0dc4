#include "model/forward.h"

#include <stdlib.h>

#include "model/tiny.h"
#include "ops/blas.h"

enum { B = 3, LENGTH = 10 };

static struct err err;

/* A model, its twin, and B sequences; loss = <c, prediction>. */
struct scene {
    struct params p;
    struct model_twin twin;
    struct pair tokens, c;
    size_t B, length;
};

static struct scene scene_new(const struct model_dims *dims, size_t n, size_t length) {
    struct scene s = {.B = n, .length = length, .p = tiny_params(dims)};
    s.twin = model_twin_create(&s.p);
    s.tokens = pair_normals(n * length * dims->inputs, 1, 1.0);
    s.c = pair_normals(n * length / 2, 2, 1.0);
    return s;
}

static void scene_free(struct scene *s) {
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
    pair_free(&s->tokens);
    pair_free(&s->c);
}

static void run_twin(struct scene *s, size_t b) {
    const double *tokens = s->tokens.d + b * s->length * s->p.dims.inputs;
    model_twin_run(&s->twin, tokens, s->length, NULL, 0);
}

static double twin_loss(void *context) {
    struct scene *s = context;
    double sum = 0;
    for (size_t b = 0; b < s->B; b++) {
        run_twin(s, b);
        for (size_t k = 0; k < s->length / 2; k++)
            sum += s->c.d[b * s->length / 2 + k] * s->twin.prediction[2 * k];
    }
    return sum;
}

static void compare_sequence(const struct forward *f, const struct scene *s, size_t b) {
    const struct model_dims *d = &s->p.dims;
    const size_t n = s->length * d->E, from = b * n, layer = d->positions * d->E;
    for (size_t l = 0; l <= d->L; l++)
        CLOSE(twin_error(forward_x(f, l) + from, s->twin.x + l * layer, n), 1e-5);
    for (size_t l = 0; l < d->L; l++) {
        CLOSE(twin_error(f->layers[l].z + from, s->twin.z + l * layer, n), 1e-5);
        CLOSE(twin_error(f->layers[l].a + from, s->twin.a + l * layer, n), 1e-5);
    }
    for (size_t k = 0; k < s->length / 2; k++)
        CLOSE(twin_error(f->prediction + b * s->length / 2 + k, s->twin.prediction + 2 * k, 1),
              1e-5);
}

static void values_equal_the_twin(void **state) {
    (void)state;
    const size_t sizes[][2] = {
        {B, LENGTH}, {2, 6}, {1, 2}, {3, 8}}; /* the largest first, then smaller ones */
    struct forward f;
    SUCCEEDS(forward_create(&f, &TINY, B, LENGTH, false, &err));
    assert_int_equal(f.memory.size, forward_bytes(&TINY, B, LENGTH, false));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct scene s = scene_new(&TINY, sizes[i][0], sizes[i][1]);
        forward_run(&f, &s.p, s.tokens.f, s.B, s.length);
        for (size_t b = 0; b < s.B; b++) {
            run_twin(&s, b);
            compare_sequence(&f, &s, b);
        }
        scene_free(&s);
    }
    forward_destroy(&f);
    forward_destroy(&f);
}

static void compare_gradient(const struct params *gradient, struct scene *s, size_t i) {
    struct param_info t;
    params_at(&t, gradient, i);
    double *w = model_twin_tensor(&s->twin, i), *want = calloc(tensor_size(&t), sizeof *want);
    assert_non_null(want);
    for (size_t j = 0; j < tensor_size(&t); j++) want[j] = twin_slope(twin_loss, s, w + j);
    const double e = relative_error(t.data, want, tensor_size(&t));
    if (!(e < 1e-4)) fail_msg("%s: error %.3g", t.name, e);
    free(want);
}

static void gradients_equal_central_differences(void **state) {
    (void)state;
    struct model_dims dims = TINY;
    dims.L = 2;
    struct scene s = scene_new(&dims, 2, 8);
    struct params g;
    struct forward f; /* larger than the run */
    SUCCEEDS(params_create(&g, &dims, &err));
    SUCCEEDS(forward_create(&f, &dims, 3, 10, true, &err));
    assert_int_equal(f.memory.size, forward_bytes(&dims, 3, 10, true));
    forward_run(&f, &s.p, s.tokens.f, 3, 4); /* leaves values behind */
    forward_backward(&g, &f, &s.p, s.tokens.f, s.c.f);
    memset(g.block, 0, params_count(&dims) * sizeof *g.block);
    forward_run(&f, &s.p, s.tokens.f, s.B, s.length);
    forward_backward(&g, &f, &s.p, s.tokens.f, s.c.f);
    for (size_t i = 0; i < params_tensors(&dims); i++) compare_gradient(&g, &s, i);
    params_destroy(&g);
    forward_destroy(&f);
    scene_free(&s);
}

/* More sequences than one chunk holds: the gradient is the sum of those of single sequences, and
 * predictions equal the twin, also where the last block computes x tokens only. */
static void many_sequences_add_up(void **state) {
    (void)state;
    enum { MANY = 120 };
    struct scene s = scene_new(&TINY, MANY, 14);
    struct params all, sum;
    struct forward f, one;
    SUCCEEDS(params_create(&all, &TINY, &err));
    SUCCEEDS(params_create(&sum, &TINY, &err));
    SUCCEEDS(forward_create(&f, &TINY, MANY, 14, true, &err));
    SUCCEEDS(forward_create(&one, &TINY, 1, 14, true, &err));
    forward_run(&f, &s.p, s.tokens.f, MANY, 14);
    forward_backward(&all, &f, &s.p, s.tokens.f, s.c.f);
    for (size_t b = 0; b < MANY; b++) {
        const float *tokens = s.tokens.f + b * 14 * TINY.inputs;
        forward_run(&one, &s.p, tokens, 1, 14);
        forward_backward(&sum, &one, &s.p, tokens, s.c.f + b * 7);
        run_twin(&s, b);
        for (size_t k = 0; k < 7; k++)
            CLOSE(twin_error(f.prediction + b * 7 + k, s.twin.prediction + 2 * k, 1), 1e-5);
        for (size_t k = 0; k < 7; k++) /* x[L] holds x tokens only */
            CLOSE(twin_error(forward_x(&f, TINY.L) + (b * 7 + k) * TINY.E,
                             s.twin.x + (TINY.L * TINY.positions + 2 * k) * TINY.E, TINY.E),
                  1e-5);
    }
    for (size_t i = 0; i < params_tensors(&TINY); i++) {
        struct param_info a, b;
        params_at(&a, &all, i);
        params_at(&b, &sum, i);
        struct pair want = pair_filled(tensor_size(&b), 0.0);
        for (size_t j = 0; j < want.n; j++) want.d[j] = (double)b.data[j];
        CLOSE(relative_error(a.data, want.d, want.n), 1e-5);
        pair_free(&want);
    }
    params_destroy(&all);
    params_destroy(&sum);
    forward_destroy(&f);
    forward_destroy(&one);
    scene_free(&s);
}

/* Positions without tokens and the padding between tensors have a gradient of exactly 0, so Adam
 * does not change them. */
static void nothing_else_gets_a_gradient(void **state) {
    (void)state;
    struct scene s = scene_new(&TINY, 2, 8);
    struct params g, touched;
    struct forward f;
    SUCCEEDS(params_create(&g, &TINY, &err));
    SUCCEEDS(params_create(&touched, &TINY, &err));
    SUCCEEDS(forward_create(&f, &TINY, 2, 8, true, &err));
    forward_run(&f, &s.p, s.tokens.f, 2, 8);
    forward_backward(&g, &f, &s.p, s.tokens.f, s.c.f);
    for (size_t i = 8 * TINY.E; i < TINY.positions * TINY.E; i++) assert_true(g.wpe[i] == 0.0f);
    for (size_t i = 0; i < params_tensors(&TINY); i++) {
        struct param_info t;
        params_at(&t, &touched, i);
        for (size_t j = 0; j < tensor_size(&t); j++) t.data[j] = 1.0f;
    }
    for (size_t i = 0; i < params_count(&TINY); i++)
        if (touched.block[i] == 0.0f) assert_true(g.block[i] == 0.0f);
    params_destroy(&g);
    params_destroy(&touched);
    forward_destroy(&f);
    scene_free(&s);
}

static void gradients_are_added_and_repeat_bit_for_bit(void **state) {
    (void)state;
    struct scene s = scene_new(&TINY, 2, 8);
    struct params once, twice;
    struct forward f;
    SUCCEEDS(params_create(&once, &TINY, &err));
    SUCCEEDS(params_create(&twice, &TINY, &err));
    SUCCEEDS(forward_create(&f, &TINY, 2, 8, true, &err));
    forward_run(&f, &s.p, s.tokens.f, 2, 8);
    forward_backward(&once, &f, &s.p, s.tokens.f, s.c.f);
    forward_run(&f, &s.p, s.tokens.f, 2, 8);
    forward_backward(&twice, &f, &s.p, s.tokens.f, s.c.f);
    const size_t n = params_count(&TINY);
    assert_memory_equal(once.block, twice.block, n * sizeof(float));
    forward_backward(&twice, &f, &s.p, s.tokens.f, s.c.f);
    for (size_t i = 0; i < n; i++) assert_float_equal(twice.block[i], 2 * once.block[i], 1e-4);
    params_destroy(&once);
    params_destroy(&twice);
    forward_destroy(&f);
    scene_free(&s);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_the_twin),
        cmocka_unit_test(gradients_equal_central_differences),
        cmocka_unit_test(many_sequences_add_up),
        cmocka_unit_test(nothing_else_gets_a_gradient),
        cmocka_unit_test(gradients_are_added_and_repeat_bit_for_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
