#include "passes/choice_loss.h"

#include "methods/icv.h"
#include "model/tiny.h"
#include "ops/blas.h"
#include "passes/curve.h"

enum { N = 5, POINTS = 6, T0 = 4, INPUTS = 3 };

static struct err err;

/* For a method that edits every token, contexts are edited too: its loss equals that of the curve
 * at its last point. */
static void contexts_are_those_of_the_curve(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct method_setup setup;
    struct choice_loss *chooser;
    struct curve curve;
    struct basis_set basis;
    struct pair x = pair_normals(N * POINTS * INPUTS, 31, 1.0), y = pair_normals(N * POINTS, 32, 1);
    const struct prompt_view prompts = {
        .n = N, .points = POINTS, .dims = INPUTS, .x = x.f, .y = y.f};
    float prediction[N * POINTS];
    double loss = 0, want = 0, plain = 0;
    method_setup_named(&setup, "icv", &p);
    icv_set_keys(&setup, (struct icv_keys){.scale = 0.8});
    const struct choice_loss_options o = {
        .setup = &setup, .points = POINTS, .T0 = T0, .chunk = N, .loss = {.kind = LOSS_SQUARED}};
    const struct curve_options c = {
        .setup = &setup, .chunk = N, .points = POINTS, .window_points = T0, .trained_points = T0};
    SUCCEEDS(choice_loss_create(&chooser, &o, NULL, &err));
    choice_loss_add(&loss, chooser, &prompts, NULL, NULL, 1.0 / N);
    SUCCEEDS(basis_set_create(&basis, &TINY, method_basis(&setup), N, &err));
    SUCCEEDS(basis_set_collect(&basis, &p, &prompts, T0, N, &err));
    const struct basis rows = basis_set_view(&basis, 0, N);
    SUCCEEDS(curve_create(&curve, &c, &err));
    curve_predict(prediction, &curve, &prompts, &rows, NULL);
    for (size_t i = 0; i < N; i++) {
        const double error =
            (double)prediction[i * POINTS + POINTS - 1] - y.d[(i + 1) * POINTS - 1];
        want += error * error / N;
    }
    CLOSE(loss / want - 1, 1e-5);
    CLOSE(1 - loss / want, 1e-5);
    icv_set_keys(&setup, (struct icv_keys){.scale = 0}); /* no edit: another loss */
    choice_loss_add(&plain, chooser, &prompts, NULL, NULL, 1.0 / N);
    assert_true(plain > 1.01 * want || plain < 0.99 * want);
    curve_destroy(&curve);
    basis_set_destroy(&basis);
    choice_loss_destroy(chooser);
    pair_free(&x), pair_free(&y);
    params_destroy(&p);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(contexts_are_those_of_the_curve)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
