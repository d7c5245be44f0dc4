/* CART against a tree grown whole by brute force, and trees whose leaves are known. */
#include "estimators/prompt_scene.h"

#include <stdbool.h>

#include "estimators/cart.h"

/* ---- the twin: every question of every node from scratch, no sorting, no incremental sums */

static double spread(const struct estimator_prompt *p, const bool *in, size_t k) {
    double n = 0, mean = 0, sum = 0;
    for (size_t i = 0; i < k; i++)
        if (in[i]) n += 1, mean += (double)p->y[i];
    for (size_t i = 0; i < k; i++)
        if (in[i]) sum += pow((double)p->y[i] - mean / n, 2);
    return n > 0 ? sum : 0;
}

static double mean_of(const struct estimator_prompt *p, const bool *in, size_t k) {
    double n = 0, sum = 0;
    for (size_t i = 0; i < k; i++)
        if (in[i]) n += 1, sum += (double)p->y[i];
    return sum / n;
}

/* The next larger value of coordinate c among the examples of a node, or infinity. */
static float next_value(const struct estimator_prompt *p, const bool *in, size_t k, size_t c,
                        float x) {
    float next = INFINITY;
    for (size_t i = 0; i < k; i++)
        if (in[i] && p->x[i * p->dims + c] > x) next = fminf(next, p->x[i * p->dims + c]);
    return next;
}

/* In the node `in`, to which the query came; *tied as in cart.h. */
static double twin_tree(const struct estimator_prompt *p, bool *in, size_t k, size_t left_depth,
                        bool *tied) {
    double best = spread(p, in, k), threshold = 0;
    size_t coordinate = 0;
    bool found = false, tie = false;
    if (left_depth == 0 || best <= 1e-12) return mean_of(p, in, k);
    best = (double)INFINITY;
    for (size_t c = 0; c < p->dims; c++)
        for (size_t i = 0; i < k; i++) {
            bool below[POINTS_MAX], above[POINTS_MAX];
            const float x = p->x[i * p->dims + c];
            const float next = in[i] ? next_value(p, in, k, c, x) : INFINITY;
            if (!isfinite(next)) continue;
            const double t = ((double)x + (double)next) / 2;
            for (size_t j = 0; j < k; j++) {
                below[j] = in[j] && (double)p->x[j * p->dims + c] <= t;
                above[j] = in[j] && !below[j];
            }
            const double left = spread(p, below, k) + spread(p, above, k);
            if (fabs(left - best) <= 1e-9) tie = true;
            if (left < best - 1e-9) best = left, threshold = t, coordinate = c, tie = false;
            found = true;
        }
    if (!found) return mean_of(p, in, k);
    *tied = *tied || tie;
    const bool low = (double)p->query[k * p->dims + coordinate] <= threshold;
    for (size_t j = 0; j < k; j++)
        in[j] = in[j] && ((double)p->x[j * p->dims + coordinate] <= threshold) == low;
    return twin_tree(p, in, k, left_depth - 1, tied);
}

static void trees_are_the_definition(void **state) {
    (void)state;
    size_t compared = 0;
    for (uint64_t seed = 0; seed < 20; seed++)
        for (size_t depth = 0; depth < 4; depth++) {
            struct scene s;
            uint32_t order[POINTS_MAX], dims[DIMS_MAX];
            scene_make(&s, 24, 3, 1, seed);
            for (size_t k = 1; k < 24; k++) {
                bool in[POINTS_MAX], tied, twin_tied = false;
                double got;
                for (size_t i = 0; i < k; i++) in[i] = true;
                const double want = twin_tree(&s.prompt, in, k, depth ? depth : 99, &twin_tied);
                cart_leaf_mean(&got, &tied, &s.prompt, k, depth, order, dims);
                if (tied || twin_tied) continue;
                assert_near(got, want, 1e-6, "cart", k);
                compared++;
            }
        }
    assert_true(compared > 500);
}

/* y depends on the side of 0.5 of the second coordinate; a third value needs one more split below.
 */
static void a_tree_is_found(void **state) {
    (void)state;
    enum { N = 41, D = 3 };
    struct scene s;
    struct estimator_setup setup;
    float got[N];
    scene_make(&s, N, D, 0, 11);
    for (size_t i = 0; i < N; i++) {
        const float *x = s.x + i * D;
        s.y[i] = x[1] > 0.5F ? 4 : x[2] > 0 ? 1 : -1;
    }
    estimator_setup_named(&setup, "cart");
    for (size_t depth = 0; depth < 3; depth += 2) {
        setup.size = depth;
        scene_curve(got, &setup, &s.prompt);
        for (size_t k = 30; k < N; k++) /* unless the query is nearer to a border than examples */
            if (fabsf(s.x[k * D + 1] - 0.5F) > 0.3F && fabsf(s.x[k * D + 2]) > 0.3F)
                assert_true(got[k] == s.y[k]);
    }
    setup.size = 1; /* one question: the side below 0.5 is a mean of -1 and 1 */
    scene_curve(got, &setup, &s.prompt);
    for (size_t k = 30; k < N; k++)
        if (s.x[k * D + 1] < 0.2F) assert_true(got[k] > -1 && got[k] < 1);
}

/* Two examples: every coordinate separates them, and the random order decides which one splits. */
static void ties_are_told_and_drawn(void **state) {
    (void)state;
    const float x[3 * 2] = {0, 0, 1, 1, 0.9F, 0.1F}, y[3] = {-3, 5, 0};
    uint32_t order[3], dims[2];
    size_t left = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        const struct estimator_prompt p = {3, 2, x, y, NULL, x, seed, 0};
        double got;
        bool tied;
        cart_leaf_mean(&got, &tied, &p, 2, 0, order, dims);
        assert_true(tied && (got == -3 || got == 5));
        left += got == -3;
        cart_leaf_mean(&got, &tied, &p, 1, 0, order, dims);
        assert_true(!tied && got == -3);
    }
    assert_true(left > 12 && left < 52); /* beyond five standard deviations otherwise */
}

static void examples_that_nothing_parts_are_one_leaf(void **state) {
    (void)state;
    const float x[4] = {2, 2, 2, 7}, y[4] = {1, 2, 6, 0};
    const struct estimator_prompt p = {.points = 4, .dims = 1, .x = x, .y = y, .query = x};
    struct estimator_setup setup;
    float got[4];
    estimator_setup_named(&setup, "cart");
    scene_curve(got, &setup, &p);
    assert_true(got[1] == 1 && got[2] == 1.5F && got[3] == 3);
}

/* ---- XGBoost, where it is built in */

/* Two far groups of four: each round takes 0.24 of what is left, until a split gains less than the
 * library's 1e-6, at 4e-4. A single example needs no split. */
static void boosted_trees_reach_group_means(void **state) {
    (void)state;
    float x[9], y[9];
    struct estimator_setup setup;
    float got[9];
    for (size_t i = 0; i < 9; i++) {
        x[i] = i % 2 ? 10 + (float)i : -10 - (float)i;
        y[i] = i % 2 ? 3 : -2;
    }
    const struct estimator_prompt p = {.points = 9, .dims = 1, .x = x, .y = y, .query = x};
    estimator_setup_named(&setup, "xgboost");
    setup.steps = 100, setup.size = 6;
    if (setup.estimator->absent) {
        struct err err;
        double one;
        assert_non_null(strstr(setup.estimator->absent, "libxgboost-dev"));
        ERROR_SAYS(estimator_check(setup.estimator, &err), ERR_CONFIG,
                   "this build has no xgboost: install");
        ERROR_SAYS(setup.estimator->predict(&one, &setup, &p, 1, NULL, &err), ERR_CONFIG,
                   "install");
        return;
    }
    scene_curve(got, &setup, &p);
    assert_true(got[0] == 0);
    assert_near((double)got[1], -2, 1e-5, "xgboost", 1);
    assert_near((double)got[8], -2, 1e-3, "xgboost", 8);
    setup.steps = 1; /* 0.5 + 0.3 (sum of residuals) / (examples + lambda) */
    scene_curve(got, &setup, &p);
    assert_near((double)got[1], 0.5 + 0.3 * -2.5 / 2, 1e-6, "xgboost, one round", 1);
    assert_near((double)got[8], 0.5 + 0.3 * 4 * -2.5 / 5, 1e-6, "xgboost, one round", 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_the_definition),
        cmocka_unit_test(a_tree_is_found),
        cmocka_unit_test(ties_are_told_and_drawn),
        cmocka_unit_test(examples_that_nothing_parts_are_one_leaf),
        cmocka_unit_test(boosted_trees_reach_group_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
