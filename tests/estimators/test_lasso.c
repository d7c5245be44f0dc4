/* The lasso against its conditions of optimality and where the answer is known. */
#include "estimators/prompt_scene.h"

#include "estimators/lasso.h"

enum { GAP, AS_PUBLISHED };

static struct err err;

/* Weights after k examples, read off by asking with unit vectors in the place of the query. */
static void weights_after(double *w, double *objective, const struct estimator_prompt *p,
                          const struct estimator_setup *s, size_t k) {
    void *state = malloc(estimator_state(s, p->points, p->dims));
    assert_non_null(state);
    for (size_t c = 0; c < p->dims; c++) {
        float *query = calloc(p->points * p->dims, sizeof *query);
        struct estimator_prompt asked = *p;
        assert_non_null(query);
        query[k * p->dims + c] = 1;
        asked.query = query;
        for (size_t i = 1; i <= k; i++)
            SUCCEEDS(s->estimator->predict(&w[c], s, &asked, i, state, &err));
        free(query);
    }
    *objective = lasso_objective(state);
    free(state);
}

static struct estimator_setup lasso(double alpha, int stop) {
    struct estimator_setup s;
    estimator_setup_named(&s, "lasso");
    s.weight = alpha;
    s.choice = stop;
    return s;
}

/* x_c.(y - X w) / k = alpha sign(w_c) where w_c is not 0, and within +-alpha where it is, as nearly
 * by the duality gap: |X (w - w*)|^2 / (2 k) is below 1e-8 of the objective. */
static void check_optimal(const struct estimator_prompt *p, double alpha, size_t k) {
    const struct estimator_setup s = lasso(alpha, GAP);
    double w[DIMS_MAX], objective;
    weights_after(w, &objective, p, &s, k);
    const double near = 3 * sqrt(2e-8 * objective);
    for (size_t c = 0; c < p->dims; c++) {
        double pull = 0;
        for (size_t i = 0; i < k; i++) {
            double left = (double)p->y[i];
            for (size_t d = 0; d < p->dims; d++) left -= w[d] * (double)p->x[i * p->dims + d];
            pull += left * (double)p->x[i * p->dims + c] / (double)k;
        }
        if (fabs(w[c]) > 1e-6)
            assert_near(pull, copysign(alpha, w[c]), near, "pull of a weight in use", k);
        else
            assert_true(fabs(pull) <= alpha + near);
    }
}

static void the_gap_closes_at_the_optimum(void **state) {
    (void)state;
    struct scene s;
    for (uint64_t seed = 0; seed < 5; seed++)
        for (double alpha = 1; alpha > 5e-4; alpha /= 10) {
            scene_make(&s, 33, 8, seed % 2 ? 0.5 : 0, seed);
            for (size_t k = 1; k < 33; k += 4) check_optimal(&s.prompt, alpha, k);
        }
}

/* X = 2 I: each weight is soft(y / 2, k alpha / 4), for both stops. */
static void orthogonal_columns_are_soft_thresholds(void **state) {
    (void)state;
    enum { D = 4 };
    float x[(D + 1) * D] = {0}, y[D + 1] = {3, -0.5F, 0.01F, -2, 0};
    for (size_t c = 0; c < D; c++) x[c * D + c] = 2;
    const struct estimator_prompt p = {.points = D + 1, .dims = D, .x = x, .y = y, .query = x};
    for (int stop = GAP; stop <= AS_PUBLISHED; stop++) {
        const struct estimator_setup s = lasso(0.1, stop);
        double w[D], objective;
        weights_after(w, &objective, &p, &s, D);
        for (size_t c = 0; c < D; c++) {
            const double size = fmax(fabs((double)y[c]) / 2 - D * 0.1 / 4, 0);
            assert_near(w[c], copysign(size, (double)y[c]), 1e-8, "weight", D);
        }
    }
}

static void a_large_penalty_leaves_nothing(void **state) {
    (void)state;
    struct scene s;
    float got[POINTS_MAX];
    scene_make(&s, 20, 5, 1, 3);
    for (int stop = GAP; stop <= AS_PUBLISHED; stop++) {
        const struct estimator_setup setup = lasso(1e6, stop);
        scene_curve(got, &setup, &s.prompt);
        for (size_t k = 0; k < 20; k++) assert_true(got[k] == 0);
    }
}

/* Few examples and a small alpha: the published stop ends well above the minimum. */
static void the_published_stop_ends_early(void **state) {
    (void)state;
    struct scene s;
    const struct estimator_setup gap = lasso(1e-4, GAP), published = lasso(1e-4, AS_PUBLISHED);
    double w[DIMS_MAX], least, early;
    scene_make(&s, 41, 20, 0, 1);
    weights_after(w, &least, &s.prompt, &gap, 15);
    weights_after(w, &early, &s.prompt, &published, 15);
    if (!(early > 1.05 * least)) fail_msg("objectives: published %g, least %g", early, least);
    const struct estimator_setup strong = lasso(0.1, GAP),
                                 strong_published = lasso(0.1, AS_PUBLISHED);
    weights_after(w, &least, &s.prompt, &strong, 40);
    weights_after(w, &early, &s.prompt, &strong_published, 40);
    assert_near(early, least, 1e-2 * least, "objective", 40);
}

/* A column of zeros, a repeated one, and y = 0: nothing to divide by. */
static void degenerate_examples_are_no_trouble(void **state) {
    (void)state;
    struct scene s;
    float got[POINTS_MAX];
    scene_make(&s, 20, 4, 1, 2);
    for (size_t i = 0; i < 20; i++) s.x[i * 4 + 1] = 0, s.x[i * 4 + 3] = s.x[i * 4 + 2];
    const struct estimator_setup setup = lasso(0.01, GAP);
    scene_curve(got, &setup, &s.prompt);
    for (size_t k = 0; k < 20; k++) assert_true(isfinite(got[k]));
    memset(s.y, 0, sizeof s.y);
    scene_curve(got, &setup, &s.prompt);
    for (size_t k = 0; k < 20; k++) assert_true(got[k] == 0);
}

/* The weights of least |w|_1 with X w = y for k < D examples, by enumeration of all supports of k.
 */
static double least_interpolation(double *best, const struct estimator_prompt *p, size_t k) {
    const size_t D = p->dims;
    double least = (double)INFINITY;
    for (unsigned set = 0; set < 1U << D; set++) {
        double A[DIMS_MAX * DIMS_MAX], b[DIMS_MAX], l1 = 0;
        size_t used[DIMS_MAX], n = 0;
        for (size_t c = 0; c < D; c++)
            if (set >> c & 1) used[n++] = c;
        if (n != k) continue;
        for (size_t i = 0; i < k; i++) {
            b[i] = (double)p->y[i];
            for (size_t c = 0; c < k; c++) A[i * k + c] = (double)p->x[i * D + used[c]];
        }
        twin_solve(A, b, k);
        for (size_t c = 0; c < k; c++) l1 += fabs(b[c]);
        if (!(l1 < least)) continue;
        least = l1;
        memset(best, 0, D * sizeof *best);
        for (size_t c = 0; c < k; c++) best[used[c]] = b[c];
    }
    return least;
}

/* A penalty far below |y|^2: no duality gap of 1e-8 of the objective can be seen in double
 * precision, but the solution is that of least |w|_1 among those that fit. */
static void a_tiny_penalty_interpolates(void **state) {
    (void)state;
    struct scene s;
    double w[DIMS_MAX], want[DIMS_MAX] = {0}, objective;
    for (uint64_t seed = 0; seed < 40; seed++)
        for (int i = 0; i < 3; i++) {
            const struct estimator_setup setup = lasso((const double[]){1e-8, 1e-9, 1e-4}[i], GAP);
            scene_make(&s, 6, 5, 0, seed);
            for (size_t k = 0; i == 2 && k < 6; k++) s.y[k] *= 1000;
            for (size_t k = 1; k < 5; k++) {
                const double l1 = least_interpolation(want, &s.prompt, k);
                weights_after(w, &objective, &s.prompt, &setup, k);
                for (size_t c = 0; c < 5; c++) assert_near(w[c], want[c], 1e-3 * l1, "weight", k);
            }
        }
}

/* Every scale of labels and every accepted penalty gives an answer, also with more coordinates. */
static void no_scale_fails(void **state) {
    (void)state;
    struct scene s;
    float got[POINTS_MAX];
    for (uint64_t seed = 0; seed < 12; seed++)
        for (double scale = 1e-6; scale < 1e7; scale *= 100)
            for (double alpha = 1e-9; alpha < 1; alpha *= 10) {
                const struct estimator_setup setup = lasso(alpha, GAP);
                scene_make(&s, 24, 3 + (size_t)seed, seed % 2 ? 0.1 : 0, seed);
                for (size_t i = 0; i < 24; i++) s.y[i] = (float)(scale * (double)s.y[i]);
                scene_curve(got, &setup, &s.prompt);
                for (size_t k = 0; k < 24; k++) assert_true(isfinite(got[k]));
            }
}

/* A prompt that cannot be solved is named. */
static void a_bad_prompt_is_named(void **state) {
    (void)state;
    struct scene s;
    float got[POINTS_MAX];
    const struct estimator_setup setup = lasso(0.01, GAP);
    scene_make(&s, 6, 3, 0, 1);
    s.y[2] = NAN;
    void *memory = malloc(estimator_state(&setup, 6, 3));
    assert_non_null(memory);
    assert_int_equal(estimator_curve(got, &setup, &s.prompt, memory, &err), ERR_NUMERIC);
    assert_non_null(strstr(err.msg, "function 7, prediction after 3 examples"));
    free(memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gap_closes_at_the_optimum),
        cmocka_unit_test(orthogonal_columns_are_soft_thresholds),
        cmocka_unit_test(a_large_penalty_leaves_nothing),
        cmocka_unit_test(the_published_stop_ends_early),
        cmocka_unit_test(degenerate_examples_are_no_trouble),
        cmocka_unit_test(a_tiny_penalty_interpolates),
        cmocka_unit_test(no_scale_fails),
        cmocka_unit_test(a_bad_prompt_is_named),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
