/* Least squares, ridge, averaging and neighbours against their definitions in double. */
#include "estimators/prompt_scene.h"

enum { UPDATED, EXACT };

/* w.query of k examples by the normal equations: of w where k >= dims or lambda > 0, else of the
 * least norm. */
static double twin_linear_learner(const struct estimator_prompt *p, size_t k, double lambda) {
    const size_t D = p->dims;
    const int dual = k < D && lambda <= 0;
    const size_t n = dual ? k : D;
    double A[DIMS_MAX * DIMS_MAX], b[DIMS_MAX], y = 0;
    for (size_t i = 0; i < n; i++) {
        b[i] = 0;
        for (size_t j = 0; j < n; j++) {
            double sum = i == j ? lambda : 0;
            for (size_t m = 0; m < (dual ? D : k); m++)
                sum += dual ? (double)p->x[i * D + m] * (double)p->x[j * D + m]
                            : (double)p->x[m * D + i] * (double)p->x[m * D + j];
            A[i * n + j] = sum;
        }
        for (size_t m = 0; !dual && m < k; m++) b[i] += (double)p->x[m * D + i] * (double)p->y[m];
        if (dual) b[i] = (double)p->y[i];
    }
    twin_solve(A, b, n);
    const float *query = p->query + k * D;
    for (size_t c = 0; c < D; c++) {
        double w = dual ? 0 : b[c];
        for (size_t i = 0; dual && i < k; i++) w += b[i] * (double)p->x[i * D + c];
        y += w * (double)query[c];
    }
    return y;
}

/* Where the condition is that of a square random matrix, twice its square is lost in the twin. */
static void compare(const struct estimator_prompt *p, const struct estimator_setup *s,
                    double lambda) {
    float got[POINTS_MAX];
    scene_curve(got, s, p);
    assert_true(got[0] == 0);
    for (size_t k = 1; k < p->points; k++) {
        const double want = twin_linear_learner(p, k, lambda);
        assert_near((double)got[k], want, 2e-6 * fmax(1, fabs(want)), s->estimator->name, k);
    }
}

static void least_squares_is_the_definition(void **state) {
    (void)state;
    struct scene s;
    struct estimator_setup setup;
    estimator_setup_named(&setup, "least_squares");
    for (setup.choice = UPDATED; setup.choice <= EXACT; setup.choice++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            scene_make(&s, 20, 5, seed % 2 ? 1 : 0, seed);
            compare(&s.prompt, &setup, 0);
        }
}

/* Largest difference of the two over many prompts, relative to the largest prediction so far. */
static double largest_difference(size_t points, size_t dims, double noise, uint64_t seeds) {
    struct scene s;
    struct estimator_setup updated, exact;
    float a[POINTS_MAX], b[POINTS_MAX];
    double most = 0;
    estimator_setup_named(&updated, "least_squares");
    exact = updated;
    exact.choice = EXACT;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        scene_make(&s, points, dims, noise, seed);
        scene_curve(a, &updated, &s.prompt);
        scene_curve(b, &exact, &s.prompt);
        for (size_t k = 1; k < points; k++)
            most = fmax(most, fabs((double)a[k] - (double)b[k]) / fmax(1, fabs((double)b[k])));
    }
    return most;
}

/* One unit in the last place of single precision is 1.2e-7: the two differ in rounding at most. */
static void the_update_loses_nothing(void **state) {
    (void)state;
    assert_near(largest_difference(41, 20, 0, 50), 0, 1.3e-7, "updated", 0);
    assert_near(largest_difference(41, 20, 1, 50), 0, 1.3e-7, "updated, noise", 0);
    assert_near(largest_difference(12, 1, 1, 50), 0, 1.3e-7, "updated, one dim", 0);
}

/* The same x twice with other ys, and later x of a subspace: the least norm is still the answer. */
static void repeated_examples_keep_the_least_norm(void **state) {
    (void)state;
    struct scene s;
    struct estimator_setup updated, exact;
    float a[POINTS_MAX], b[POINTS_MAX];
    estimator_setup_named(&updated, "least_squares");
    exact = updated;
    exact.choice = EXACT;
    for (int kind = 0; kind < 4; kind++) {
        scene_make(&s, 24, 8, 1, 5);
        if (kind == 0) memcpy(s.x + 8, s.x, 8 * sizeof *s.x);
        if (kind == 1) memset(s.x + 16, 0, 8 * sizeof *s.x);
        for (size_t i = 0; i < 24; i++) {
            if (kind == 2) memset(s.x + i * 8 + 3, 0, 5 * sizeof *s.x);
            if (kind == 3) s.x[i * 8 + 7] = s.x[i * 8] + s.x[i * 8 + 1];
        }
        scene_curve(a, &updated, &s.prompt);
        scene_curve(b, &exact, &s.prompt);
        for (size_t k = 1; k < 24; k++)
            assert_near((double)a[k], (double)b[k], 2e-6 * fmax(1, fabs((double)b[k])), "updated",
                        k);
    }
}

/* y twice 1 and 3 at the same x: the mean. Then a second direction, which is not asked for. */
static void least_squares_knows_the_answer(void **state) {
    (void)state;
    const float x[4 * 2] = {1, 0, 1, 0, 0, 2, 3, 0}, y[4] = {1, 3, 8, 0};
    const struct estimator_prompt p = {.points = 4, .dims = 2, .x = x, .y = y, .query = x};
    struct estimator_setup setup;
    float got[4];
    estimator_setup_named(&setup, "least_squares");
    for (setup.choice = UPDATED; setup.choice <= EXACT; setup.choice++) {
        scene_curve(got, &setup, &p);
        assert_near((double)got[1], 1, 1e-6, "least squares", 1);
        assert_near((double)got[2], 0, 1e-6, "least squares", 2);
        assert_near((double)got[3], 6, 1e-6, "least squares", 3);
    }
}

static void ridge_is_the_definition(void **state) {
    (void)state;
    struct scene s;
    struct estimator_setup setup;
    estimator_setup_named(&setup, "ridge");
    for (uint64_t seed = 0; seed < 10; seed++) {
        scene_make(&s, 20, 5, 0.5, seed);
        setup.weight = 0.25;
        compare(&s.prompt, &setup, 0.25);
        setup.weight = 0;
        compare(&s.prompt, &setup, 0);
    }
}

/* w ~ N(0, I), noise sigma: no other lambda has less error. 400 functions, paired; the neighbours
 * are far enough that the difference is many standard errors. */
static void ridge_is_best_at_the_noise_variance(void **state) {
    (void)state;
    struct scene s;
    const double sigma = 1, lambda[3] = {sigma * sigma / 8, sigma * sigma, sigma * sigma * 8};
    double error[3] = {0};
    float got[POINTS_MAX];
    for (uint64_t seed = 0; seed < 400; seed++) {
        scene_make(&s, 16, 8, sigma, seed);
        for (size_t i = 0; i < 3; i++) {
            struct estimator_setup setup;
            estimator_setup_named(&setup, "ridge");
            setup.weight = lambda[i];
            scene_curve(got, &setup, &s.prompt);
            for (size_t k = 4; k < 16; k++) error[i] += pow((double)(got[k] - s.y[k]), 2);
        }
    }
    assert_true(error[1] < error[0] && error[1] < error[2]);
}

static void averaging_is_the_definition(void **state) {
    (void)state;
    struct scene s;
    struct estimator_setup setup;
    float got[POINTS_MAX];
    estimator_setup_named(&setup, "averaging");
    scene_make(&s, 20, 5, 1, 1);
    scene_curve(got, &setup, &s.prompt);
    for (size_t k = 1; k < 20; k++) {
        double want = 0;
        for (size_t i = 0; i < k; i++)
            for (size_t c = 0; c < 5; c++)
                want +=
                    (double)s.y[i] * (double)s.x[i * 5 + c] * (double)s.x[k * 5 + c] / (double)k;
        assert_near((double)got[k], want, 1e-6 * fmax(1, fabs(want)), "averaging", k);
    }
}

/* Sorts all examples by distance and takes the first three. */
static double twin_neighbours(const struct estimator_prompt *p, size_t k, size_t most) {
    size_t order[POINTS_MAX];
    double distance[POINTS_MAX] = {0}, sum = 0;
    for (size_t i = 0; i < k; i++) {
        order[i] = i;
        for (size_t c = 0; c < p->dims; c++)
            distance[i] +=
                pow((double)p->x[i * p->dims + c] - (double)p->query[k * p->dims + c], 2);
    }
    for (size_t i = 0; i < k; i++)
        for (size_t j = i + 1; j < k; j++)
            if (distance[order[j]] < distance[order[i]]) {
                const size_t t = order[i];
                order[i] = order[j], order[j] = t;
            }
    const size_t n = k < most ? k : most;
    for (size_t i = 0; i < n; i++) sum += (double)p->y[order[i]];
    return sum / (double)n;
}

static void neighbours_are_the_nearest(void **state) {
    (void)state;
    struct scene s;
    struct estimator_setup setup;
    float got[POINTS_MAX];
    estimator_setup_named(&setup, "knn");
    for (setup.size = 1; setup.size <= 40; setup.size += 2) {
        scene_make(&s, 30, 3, 1, setup.size);
        scene_curve(got, &setup, &s.prompt);
        for (size_t k = 1; k < 30; k++)
            assert_near((double)got[k], twin_neighbours(&s.prompt, k, setup.size), 1e-6, "knn", k);
    }
}

static void equally_near_the_earlier_counts(void **state) {
    (void)state;
    const float x[4] = {1, -1, 1, 0}, y[4] = {5, 7, 9, 0};
    const struct estimator_prompt p = {.points = 4, .dims = 1, .x = x, .y = y, .query = x};
    struct estimator_setup setup;
    float got[4];
    estimator_setup_named(&setup, "knn");
    setup.size = 1;
    scene_curve(got, &setup, &p);
    assert_true(got[3] == 5);
    setup.size = 2;
    scene_curve(got, &setup, &p);
    assert_true(got[3] == 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_squares_is_the_definition),
        cmocka_unit_test(the_update_loses_nothing),
        cmocka_unit_test(repeated_examples_keep_the_least_norm),
        cmocka_unit_test(least_squares_knows_the_answer),
        cmocka_unit_test(ridge_is_the_definition),
        cmocka_unit_test(ridge_is_best_at_the_noise_variance),
        cmocka_unit_test(averaging_is_the_definition),
        cmocka_unit_test(neighbours_are_the_nearest),
        cmocka_unit_test(equally_near_the_earlier_counts),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
