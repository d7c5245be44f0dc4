#include "model/embed.h"

#include <math.h>

#include "model/tiny_tokens.h"
#include "ops/blas.h"
#include "twins/embed_twin.h"

enum { B = 2, LENGTH = 9, T = B * LENGTH, E = 8, INPUTS = 3 };

static struct err err;

static void sequences_of_vectors_equal_the_twin(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct model_twin twin = model_twin_create(&p);
    struct pair vectors = pair_normals(T * INPUTS, 1, 1.0), x = pair_filled(T * E, NAN);
    embed_sequences(x.f, &p, vectors.f, NULL, B, LENGTH);
    for (size_t b = 0; b < B; b++)
        embed_twin_vectors(x.d + b * LENGTH * E, &twin, vectors.d + b * LENGTH * INPUTS, 0, LENGTH);
    CLOSE(twin_error(x.f, x.d, T * E), 1e-6);
    model_twin_destroy(&twin);
    params_destroy(&p);
    pair_free(&vectors), pair_free(&x);
}

/* Only the sum with the position is rounded, so the values are exact. */
static void sequences_of_ids_equal_the_twin(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY_TOKENS);
    struct model_twin twin = model_twin_create(&p);
    struct pair x = pair_filled(T * E, NAN);
    uint32_t ids[T];
    tiny_ids(ids, T);
    embed_sequences(x.f, &p, NULL, ids, B, LENGTH);
    for (size_t b = 0; b < B; b++)
        embed_twin_ids(x.d + b * LENGTH * E, &twin, ids + b * LENGTH, 0, LENGTH);
    for (size_t i = 0; i < T * E; i++) assert_true(x.f[i] == (float)x.d[i]);
    model_twin_destroy(&twin);
    params_destroy(&p);
    pair_free(&x);
}

/* Single tokens at positions in any order have the embedding that they have in a sequence. */
static void rows_stand_at_their_positions(void **state) {
    (void)state;
    const uint32_t position[] = {5, 0, 8, 5};
    struct params p = tiny_params(&TINY_TOKENS), q = tiny_params(&TINY);
    struct pair vectors = pair_normals(LENGTH * INPUTS, 2, 1.0);
    uint32_t ids[LENGTH], own_ids[4];
    float x[LENGTH * E], rows[4 * E], own[4 * INPUTS];
    tiny_ids(ids, LENGTH);
    for (size_t r = 0; r < 4; r++) {
        own_ids[r] = ids[position[r]];
        memcpy(own + r * INPUTS, vectors.f + position[r] * INPUTS, INPUTS * sizeof *own);
    }
    embed_sequences(x, &p, NULL, ids, 1, LENGTH);
    embed_rows(rows, &p, NULL, own_ids, position, 4);
    for (size_t r = 0; r < 4; r++)
        assert_memory_equal(rows + r * E, x + position[r] * E, E * sizeof *x);
    embed_sequences(x, &q, vectors.f, NULL, 1, LENGTH);
    embed_rows(rows, &q, own, NULL, position, 4);
    for (size_t r = 0; r < 4 * E; r++)
        assert_float_equal(rows[r], x[position[r / E] * E + r % E], 1e-6);
    params_destroy(&p), params_destroy(&q);
    pair_free(&vectors);
}

/* loss = <c, embedding> */
struct scene {
    struct model_twin twin;
    struct pair vectors, c;
};

static double twin_loss(void *context) {
    struct scene *s = context;
    double x[LENGTH * E], sum = 0;
    for (size_t b = 0; b < B; b++) {
        embed_twin_vectors(x, &s->twin, s->vectors.d + b * LENGTH * INPUTS, 0, LENGTH);
        sum += twin_dot(x, s->c.d + b * LENGTH * E, LENGTH * E);
    }
    return sum;
}

static void compare_gradient(const float *got, double *w, size_t n, struct scene *s) {
    double want[14 * E];
    assert_true(n <= 14 * E);
    for (size_t i = 0; i < n; i++) want[i] = 1 + twin_slope(twin_loss, s, w + i);
    CLOSE(relative_error(got, want, n), 1e-5);
}

static void gradients_are_added(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY), g;
    struct scene s = {model_twin_create(&p), pair_normals(T * INPUTS, 3, 1.0),
                      pair_normals(T * E, 4, 1.0)};
    SUCCEEDS(params_create(&g, &TINY, &err));
    for (size_t i = 0; i < params_count(&TINY); i++) g.block[i] = 1;
    embed_backward(&g, s.c.f, s.vectors.f, NULL, B, LENGTH);
    compare_gradient(g.read_in_w, s.twin.read_in_w, E * INPUTS, &s);
    compare_gradient(g.read_in_b, s.twin.read_in_b, E, &s);
    compare_gradient(g.wpe, s.twin.wpe, TINY.positions * E, &s);
    model_twin_destroy(&s.twin);
    params_destroy(&p), params_destroy(&g);
    pair_free(&s.vectors), pair_free(&s.c);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_of_vectors_equal_the_twin),
        cmocka_unit_test(sequences_of_ids_equal_the_twin),
        cmocka_unit_test(rows_stand_at_their_positions),
        cmocka_unit_test(gradients_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
