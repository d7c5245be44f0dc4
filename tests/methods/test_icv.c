#include "methods/icv.h"

#include <math.h>
#include <stdlib.h>

#include "activations/basis_collector.h"
#include "methods/prompt_scene.h"
#include "ops/blas.h"

enum { E = 8, LAYERS = 3, STAGES = LAYERS + 1, N = STAGES * E, QUERY = 2 * (T0 - 1) };

static struct err err;

/* Stage i of the twin's last run at a token. */
static void stage_of(double out[E], const struct prompt_scene *s, size_t i, size_t token) {
    const double *x = s->twin.x + (i * TINY.positions + token) * E;
    memcpy(out, x, E * sizeof *out);
    if (i == LAYERS)
        twin_layernorm(out, x, s->twin.ln_f_w, s->twin.ln_f_b, (double)TINY.epsilon, 1, E);
}

/* step [STAGES, E] of prompt i. */
static void step_of(double step[N], struct prompt_scene *s, size_t i) {
    double squares = 0;
    prompt_scene_run(s, i, QUERY + 2, NULL);
    for (size_t l = 0; l < STAGES; l++) {
        double x[E], y[E];
        stage_of(x, s, l, QUERY);
        stage_of(y, s, l, QUERY + 1);
        for (size_t e = 0; e < E; e++) {
            step[l * E + e] = y[e] - x[e];
            squares += step[l * E + e] * step[l * E + e];
        }
    }
    for (size_t j = 0; j < N; j++) step[j] /= sqrt(squares);
}

static void steps_are_as_defined(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    struct basis_set got;
    SUCCEEDS(basis_set_create(&got, &TINY, basis_bit(BASIS_STEP) | basis_bit(BASIS_HEADS), PROMPTS,
                              &err));
    SUCCEEDS(basis_set_collect(&got, &s.p, &s.prompts, T0, 2, &err));
    for (size_t i = 0; i < PROMPTS; i++) {
        double want[N];
        float row[N];
        step_of(want, &s, i);
        for (size_t j = 0; j < N; j++)
            row[j] = got.part[BASIS_STEP][(j / E * PROMPTS + i) * E + j % E];
        CLOSE(relative_error(row, want, N), 1e-5);
        for (size_t l = 0; l < LAYERS; l++) /* the heads of the query, in the same set */
            CLOSE(relative_error(got.part[BASIS_HEADS] + (l * PROMPTS + i) * E,
                                 s.twin.z + (l * TINY.positions + QUERY) * E, E),
                  1e-5);
    }
    basis_set_destroy(&got);
    prompt_scene_free(&s);
}

/* ---- the component, by power iteration on the covariance */

static void multiply(double out[N], double steps[PROMPTS][N], const double v[N]) {
    double next[N] = {0};
    for (size_t i = 0; i < PROMPTS; i++) {
        const double along = twin_dot(steps[i], v, N);
        for (size_t j = 0; j < N; j++) next[j] += along * steps[i][j];
    }
    const double norm = sqrt(twin_dot(next, next, N));
    for (size_t j = 0; j < N; j++) out[j] = next[j] / norm;
}

/* steps: centred. The prompt furthest along it lies on its positive side. */
static void component_of(double v[N], double steps[PROMPTS][N]) {
    double furthest = 0;
    memcpy(v, steps[0], N * sizeof *v);
    for (int k = 0; k < 2000; k++) multiply(v, steps, v);
    for (size_t i = 0; i < PROMPTS; i++) {
        const double along = twin_dot(steps[i], v, N);
        if (fabs(along) > fabs(furthest)) furthest = along;
    }
    for (size_t j = 0; j < N; j++) v[j] *= furthest < 0 ? -1 : 1;
}

static void derive(float w[N], const struct prompt_scene *s, const struct method_setup *setup) {
    const struct method_training t = {.prompts = s->prompts, .T0 = T0, .chunk = 2};
    assert_int_equal(method_weights(setup), N);
    SUCCEEDS(setup->method->derivation.derive(w, &t, setup, &err));
}

static void the_component_is_the_principal_one(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    struct method_setup setup;
    double steps[PROMPTS][N], mean[N] = {0}, want[N];
    float w[N];
    method_setup_named(&setup, "icv", &s.p);
    for (size_t i = 0; i < PROMPTS; i++) step_of(steps[i], &s, i);
    for (size_t i = 0; i < PROMPTS; i++)
        for (size_t j = 0; j < N; j++) mean[j] += steps[i][j] / PROMPTS;
    for (size_t i = 0; i < PROMPTS; i++)
        for (size_t j = 0; j < N; j++) steps[i][j] -= mean[j];
    component_of(want, steps);
    derive(w, &s, &setup);
    CLOSE(relative_error(w, want, N), 1e-4);
    prompt_scene_free(&s);
}

/* Blocks that do nothing, x of zeros and y of +-1: every step is that of y alone, one way or the
 * other, and so is the component. */
static void one_direction_is_found(void **state) {
    (void)state;
    struct prompt_scene s = {0};
    struct method_setup setup;
    float w[N];
    SUCCEEDS(params_create(&s.p, &TINY, &err));
    s.p.read_in_w[0] = 1;
    for (size_t e = 0; e < E; e++) s.p.ln_f_w[e] = 1;
    s.x = pair_filled(PROMPTS * POINTS * INPUTS, 0);
    s.y = pair_filled(PROMPTS * POINTS, 1);
    s.y.f[T0 - 1] = -1; /* one of five: furthest from their mean, so on the positive side */
    s.prompts = (struct prompt_view){
        .n = PROMPTS, .points = POINTS, .dims = INPUTS, .x = s.x.f, .y = s.y.f};
    method_setup_named(&setup, "icv", &s.p);
    derive(w, &s, &setup);
    double squares = 0;
    for (size_t j = 0; j < N; j++) squares += (double)w[j] * (double)w[j];
    CLOSE(fabs(squares - 1), 1e-5);
    for (size_t l = 0; l < LAYERS; l++) { /* the same at every stage: the first coordinate */
        assert_true(w[l * E] < -0.1f && w[l * E] == w[0]);
        for (size_t e = 1; e < E; e++) CLOSE(fabs((double)w[l * E + e]), 1e-6);
    }
    assert_true(w[LAYERS * E] < w[0] && w[LAYERS * E + 1] > 0); /* after ln_f */
    params_destroy(&s.p);
    pair_free(&s.x), pair_free(&s.y);
}

static void prompts_alike_have_no_component(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    struct method_setup setup;
    float w[N];
    method_setup_named(&setup, "icv", &s.p);
    s.prompts.n = 1;
    derive(w, &s, &setup);
    for (size_t j = 0; j < N; j++) assert_true(w[j] == 0);
    prompt_scene_free(&s);
}

/* ---- what is made of it */

static void the_vector_is_the_step_and_for_means_the_component(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct method_setup s;
    struct pair step = pair_normals(STAGES * 3 * E, 81, 1.0), w = pair_normals(N, 82, 1.0);
    const struct basis own = {.R = 2, .stride = 3, .part = {[BASIS_STEP] = step.f}};
    const struct basis mean = {.R = 1, .stride = 3, .part = {[BASIS_STEP] = step.f}};
    float v[2 * N];
    method_setup_named(&s, "icv", &p);
    assert_int_equal(method_values(&s), N);
    s.method->application.vector(v, w.f, &own, &s, NULL);
    for (size_t i = 0; i < STAGES; i++)
        assert_memory_equal(v + i * 2 * E, step.f + i * 3 * E, 2 * E * sizeof *v);
    icv_set_keys(&s, (struct icv_keys){.scale = 1, .mean = true});
    s.method->application.vector(v, w.f, &mean, &s, NULL);
    for (size_t j = 0; j < N; j++) assert_true(v[j] == step.f[j / E * 3 * E + j % E] + w.f[j]);
    pair_free(&step), pair_free(&w);
    params_destroy(&p);
}

static void its_edits_turn_every_token(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct method_setup s;
    struct edit items[LAYERS];
    struct edits edits;
    const float v[2 * N] = {0};
    method_setup_named(&s, "icv", &p);
    for (size_t shift = 0; shift <= 1; shift++) {
        icv_set_keys(&s, (struct icv_keys){.scale = 1.5, .layer_shift = shift});
        method_edits(items, &edits, v, NULL, 2, &s);
        assert_int_equal(edits.n, LAYERS);
        for (size_t l = 0; l < LAYERS; l++) {
            assert_true(items[l].layer == l && items[l].scope == EDIT_ALL);
            assert_true(items[l].operation == EDIT_STEER && items[l].scale == 1.5f);
            assert_ptr_equal(items[l].values, v + (l + 1 - shift) * 2 * E);
            assert_int_equal(items[l].row_stride, E);
        }
    }
    params_destroy(&p);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_as_defined),
        cmocka_unit_test(the_component_is_the_principal_one),
        cmocka_unit_test(one_direction_is_found),
        cmocka_unit_test(prompts_alike_have_no_component),
        cmocka_unit_test(the_vector_is_the_step_and_for_means_the_component),
        cmocka_unit_test(its_edits_turn_every_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
