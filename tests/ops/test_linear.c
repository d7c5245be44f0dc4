#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/blas.h"
#include "ops/linear.h"
#include "twins/ops_twin.h"

/* One layer and a scalar loss <g, y>, whose gradients are those of the layer. */
struct layer {
    size_t N, I, O;
    int out_in;
    struct pair x, W, b, g, y;
};

static const size_t SIZES[][3] = {{1, 1, 1}, {1, 8, 64}, {5, 3, 7}, {33, 16, 20}};
enum { CASES = sizeof SIZES / sizeof SIZES[0] };

static struct layer layer_new(const size_t size[3], int out_in) {
    const size_t N = size[0], I = size[1], O = size[2];
    return (struct layer){N,
                          I,
                          O,
                          out_in,
                          pair_normals(N * I, 1, 1.0),
                          pair_normals(I * O, 2, 0.3),
                          pair_normals(O, 3, 1.0),
                          pair_normals(N * O, 4, 1.0),
                          pair_normals(N * O, 5, 1.0)};
}

static void layer_free(struct layer *l) {
    pair_free(&l->x), pair_free(&l->W), pair_free(&l->b), pair_free(&l->g), pair_free(&l->y);
}

static enum linear_layout layout(const struct layer *l) {
    return l->out_in ? LINEAR_OUT_IN : LINEAR_IN_OUT;
}

static double loss(void *context) {
    struct layer *l = context;
    twin_linear(l->y.d, l->x.d, l->W.d, l->b.d, l->N, l->I, l->O, l->out_in);
    return twin_dot(l->g.d, l->y.d, l->y.n);
}

static void values(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * CASES; i++) {
        struct layer l = layer_new(SIZES[i / 2], i % 2);
        linear_forward(l.y.f, l.x.f, l.W.f, l.b.f, l.N, l.I, l.O, layout(&l));
        loss(&l);
        assert_true(twin_error(l.y.f, l.y.d, l.y.n) < 1e-5);
        linear_forward_onto(l.y.f, l.g.f, l.x.f, l.W.f, l.b.f, l.N, l.I, l.O, layout(&l));
        for (size_t j = 0; j < l.y.n; j++) l.y.d[j] += l.g.d[j];
        assert_true(twin_error(l.y.f, l.y.d, l.y.n) < 1e-5);
        linear_forward(l.y.f, l.x.f, l.W.f, NULL, l.N, l.I, l.O, layout(&l));
        twin_linear(l.y.d, l.x.d, l.W.d, NULL, l.N, l.I, l.O, l.out_in);
        assert_true(twin_error(l.y.f, l.y.d, l.y.n) < 1e-5);
        layer_free(&l);
    }
}

/* The gradient is added to what got->d holds. */
static void slopes_equal(const struct pair *got, struct pair *at, struct layer *l) {
    for (size_t i = 0; i < got->n; i++) got->d[i] += twin_slope(loss, l, &at->d[i]);
    assert_true(twin_error(got->f, got->d, got->n) < 2e-5);
}

static void gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * CASES; i++) {
        struct layer l = layer_new(SIZES[i / 2], i % 2);
        struct pair dx = pair_normals(l.x.n, 6, 1.0), dW = pair_normals(l.W.n, 7, 1.0);
        struct pair db = pair_normals(l.b.n, 8, 1.0);
        linear_backward(dx.f, dW.f, db.f, l.g.f, l.x.f, l.W.f, l.N, l.I, l.O, layout(&l));
        for (size_t j = 0; j < dx.n; j++) dx.d[j] = 0.0; /* overwritten */
        slopes_equal(&dx, &l.x, &l);
        slopes_equal(&dW, &l.W, &l);
        slopes_equal(&db, &l.b, &l);
        pair_free(&dx), pair_free(&dW), pair_free(&db);
        layer_free(&l);
    }
}

/* Each gradient computed alone has the same bits as together with the others. */
static void unwanted_gradients_are_skipped(void **state) {
    (void)state;
    struct layer l = layer_new(SIZES[3], 0);
    const size_t N = l.N, I = l.I, O = l.O;
    struct pair all = pair_filled(N * I + I * O + O, 0.0), one = pair_filled(all.n, 0.0);
    linear_backward(all.f, all.f + N * I, all.f + N * I + I * O, l.g.f, l.x.f, l.W.f, N, I, O,
                    LINEAR_IN_OUT);
    linear_backward(one.f, NULL, NULL, l.g.f, NULL, l.W.f, N, I, O, LINEAR_IN_OUT);
    linear_backward(NULL, one.f + N * I, NULL, l.g.f, l.x.f, NULL, N, I, O, LINEAR_IN_OUT);
    linear_backward(NULL, NULL, one.f + N * I + I * O, l.g.f, NULL, NULL, N, I, O, LINEAR_IN_OUT);
    assert_memory_equal(all.f, one.f, all.n * sizeof(float));
    pair_free(&all), pair_free(&one);
    layer_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(gradients),
                                       cmocka_unit_test(unwanted_gradients_are_skipped)};
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
