#include "model/unembed.h"

#include "model/tiny_tokens.h"
#include "ops/blas.h"
#include "twins/embed_twin.h"

enum { R = 5, E = 8, WIDEST = 11 };

static struct err err;

/* Rows of the residual stream, and loss = <c, answers>. */
struct scene {
    struct params p;
    struct model_twin twin;
    struct pair x, c;
    struct unembed u;
    struct arena memory;
    size_t O;
};

static struct scene scene_new(const struct model_dims *d) {
    struct scene s = {.p = tiny_params(d), .x = pair_normals(R * E, 1, 2.0)};
    s.twin = model_twin_create(&s.p);
    s.O = unembed_width(d);
    s.c = pair_normals(R * s.O, 2, 1.0);
    unembed_lay_out(&s.u, &s.memory, d, R, true);
    SUCCEEDS(arena_commit(&s.memory, &err));
    unembed_lay_out(&s.u, &s.memory, d, R, true);
    return s;
}

static void scene_free(struct scene *s) {
    arena_release(&s->memory);
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
    pair_free(&s->x), pair_free(&s->c);
}

static void answers_equal_the_twin(const struct model_dims *d, size_t width) {
    struct scene s = scene_new(d);
    struct pair out = pair_filled(R * width, 9.0);
    assert_int_equal(s.O, width);
    unembed_forward(out.f, &s.u, &s.p, s.x.f, R);
    unembed_twin(out.d, &s.twin, s.x.d, R);
    CLOSE(twin_error(out.f, out.d, R * width), 1e-5);
    pair_free(&out);
    scene_free(&s);
}

static void values_equal_the_twin(void **state) {
    (void)state;
    answers_equal_the_twin(&TINY, 1);
    answers_equal_the_twin(&TINY_TOKENS, WIDEST);
}

static double twin_loss(void *context) {
    struct scene *s = context;
    double out[R * WIDEST];
    unembed_twin(out, &s->twin, s->x.d, R);
    return twin_dot(out, s->c.d, R * s->O);
}

static void compare(const float *got, double *at, size_t n, struct scene *s) {
    double want[WIDEST * E];
    assert_true(n <= sizeof want / sizeof *want);
    for (size_t i = 0; i < n; i++) want[i] = twin_slope(twin_loss, s, at + i);
    CLOSE(relative_error(got, want, n), 1e-4);
}

/* Weight gradients, and the gradient of x, which has the same bits when the others are not wanted.
 */
static void gradients_equal_central_differences(void **state) {
    (void)state;
    const struct model_dims *const models[] = {&TINY, &TINY_TOKENS};
    static const struct params frozen;
    for (size_t i = 0; i < 2; i++) {
        struct scene s = scene_new(models[i]);
        struct params g;
        float out[R * WIDEST], dx[R * E], alone[R * E];
        SUCCEEDS(params_create(&g, models[i], &err));
        unembed_forward(out, &s.u, &s.p, s.x.f, R);
        unembed_backward(dx, &g, &s.u, &s.p, s.x.f, s.c.f, R);
        unembed_backward(alone, &frozen, &s.u, &s.p, s.x.f, s.c.f, R);
        assert_memory_equal(dx, alone, sizeof dx);
        compare(dx, s.x.d, R * E, &s);
        compare(g.ln_f_w, s.twin.ln_f_w, E, &s);
        compare(g.ln_f_b, s.twin.ln_f_b, E, &s);
        if (g.wte.f32) compare(g.wte.f32, s.twin.wte, WIDEST * E, &s);
        if (g.read_out_w) compare(g.read_out_w, s.twin.read_out_w, E, &s);
        if (g.read_out_b) compare(g.read_out_b, s.twin.read_out_b, 1, &s);
        params_destroy(&g);
        scene_free(&s);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_the_twin),
        cmocka_unit_test(gradients_equal_central_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
