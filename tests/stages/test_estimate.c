#include <math.h>

#include "estimators/estimator.h"
#include "sources/problems/prompts.h"
#include "stages/estimate_rows.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"

ROW_READER(estimate_row, ESTIMATE_ROW)

#define HEAD "name = \"lab\"; seed = 5; source = { dims = 3; };\n"
#define ESTIMATE(keys) HEAD "stages = ( { stage = \"estimate\"; " keys " } );\n"
#define SIZES "points = 9; functions = 10; chunk = 4; "

enum { FUNCTIONS = 10, POINTS = 9 };

static struct err err;

static struct host_twin *run(const struct lab *lab, size_t point) {
    const struct lab_job job = {.kind = "estimate", .point = point};
    return lab_run(lab, &job);
}

/* The errors are those of the estimator on the prompts of the split "test". */
static void errors_are_those_of_the_test_prompts(void **state) {
    (void)state;
    struct lab lab = lab_open(ESTIMATE(SIZES "estimator = [\"averaging\", \"knn\"];"));
    struct prompts_setup source = {.seed = 5, .split = "test"};
    struct prompts prompts;
    problem_setup_read(&source.setup, lab_point(&lab, "estimate", 0));
    SUCCEEDS(prompts_create(&prompts, &source, FUNCTIONS, POINTS, &err));
    prompts_draw(&prompts, &source, 0, 3);
    for (size_t point = 0; point < 2; point++) {
        struct host_twin *h = run(&lab, point);
        const struct job_tensor *t = host_twin_tensor(h, "errors");
        struct estimator_setup setup;
        double memory[32];
        assert_true(t->rank == 2 && t->shape[0] == FUNCTIONS && t->shape[1] == POINTS);
        estimator_setup_read(&setup, lab_point(&lab, "estimate", point), 0);
        assert_true(estimator_state(&setup, POINTS, 3) <= sizeof memory);
        for (size_t i = 0; i < FUNCTIONS; i++) {
            const float *x = prompts.x + i * POINTS * 3, *y = prompts.y + i * POINTS;
            const struct estimator_prompt p = {POINTS, 3, x, y, NULL, x, 5, i};
            float guess[POINTS];
            SUCCEEDS(estimator_curve(guess, &setup, &p, memory, &err));
            for (size_t k = 0; k < POINTS; k++)
                assert_true(t->data[i * POINTS + k] == (guess[k] - y[k]) * (guess[k] - y[k]));
        }
        assert_string_equal(host_twin_note(h, "estimator"), point ? "knn" : "averaging");
        host_twin_destroy(h);
    }
    prompts_destroy(&prompts);
    lab_close(&lab);
}

static void rows_summarise_the_errors(void **state) {
    (void)state;
    struct lab lab = lab_open(ESTIMATE(
        SIZES "estimator = \"lasso\"; lasso = { alpha = 0.5; stop = \"as_published\"; };"));
    struct host_twin *h = run(&lab, 0);
    const struct job_tensor *t = host_twin_tensor(h, "errors");
    assert_int_equal(host_twin_rows(h), POINTS);
    for (size_t k = 0; k < POINTS; k++) {
        const struct estimate_row row = read_estimate_row(h, k);
        double sum = 0;
        for (size_t i = 0; i < FUNCTIONS; i++) sum += (double)t->data[i * POINTS + k];
        assert_string_equal(row.method, "lasso");
        assert_string_equal(row.reading, "alpha=0.5 stop=as_published");
        assert_string_equal(row.source, "linear");
        assert_string_equal(row.shift, "none");
        assert_true(row.shift_level == 0);
        assert_int_equal(row.k, k);
        assert_int_equal(row.functions, FUNCTIONS);
        CLOSE(fabs(row.mse - sum / FUNCTIONS), 1e-12);
        assert_true(row.mse_low < row.mse && row.mse < row.mse_high);
        CLOSE(fabs(row.mse_over_variance * 3 - row.mse), 1e-9); /* E[y^2] = dims */
    }
    host_twin_destroy(h);
    lab_close(&lab);
}

/* Noiseless linear functions of 3 numbers: nothing left to guess after 3 examples. */
static void least_squares_ends_at_nothing(void **state) {
    (void)state;
    struct lab lab = lab_open(ESTIMATE(SIZES));
    struct host_twin *h = run(&lab, 0);
    for (size_t k = 0; k < POINTS; k++) {
        const double mse = read_estimate_row(h, k).mse;
        assert_true(k < 3 ? mse > 0.05 : mse < 1e-8);
    }
    host_twin_destroy(h);
    lab_close(&lab);
}

/* Of signs: half are wrong without examples (0 counts as negative), few once w is known. */
static void classification_counts_wrong_signs(void **state) {
    (void)state;
    struct lab lab = lab_open(ESTIMATE(
        "source = { problem = \"linear_classification\"; }; points = 41; functions = 400;"));
    struct host_twin *h = run(&lab, 0);
    const double none = read_estimate_row(h, 0).mse, many = read_estimate_row(h, 40).mse;
    assert_true(none > 0.4 && none < 0.6); /* sd 0.025 */
    assert_true(many > 0 && many < 0.2);
    host_twin_destroy(h);
    lab_close(&lab);
}

/* lambda = noise^2 / scale^2 unless told otherwise. */
static void ridge_takes_the_noise_of_the_source(void **state) {
    (void)state;
    struct lab lab =
        lab_open(ESTIMATE(SIZES "source = { problem = \"noisy_linear\"; noise = 1.5; scale = 3; }; "
                                "estimator = \"ridge\"; ridge = { lambda = [-1.0, 0.25, 1.0]; };"));
    struct host_twin *h[3];
    for (size_t i = 0; i < 3; i++) h[i] = run(&lab, i);
    const float *e[3];
    for (size_t i = 0; i < 3; i++) e[i] = host_twin_tensor(h[i], "errors")->data;
    assert_memory_equal(e[0], e[1], FUNCTIONS * POINTS * sizeof(float));
    assert_memory_not_equal(e[0], e[2], FUNCTIONS * POINTS * sizeof(float));
    for (size_t i = 0; i < 3; i++) host_twin_destroy(h[i]);
    lab_close(&lab);
}

/* A query that was an example before: least squares knows it after one. Orthogonal ones are left
 * out from k = dims on. */
static void queries_of_a_shift_are_asked(void **state) {
    (void)state;
    struct lab lab =
        lab_open(ESTIMATE(SIZES "shift = [\"overlapping\", \"orthogonal\", \"scale_y\"];"));
    struct host_twin *h = run(&lab, 0);
    for (size_t k = 0; k < POINTS; k++) {
        const struct estimate_row row = read_estimate_row(h, k);
        assert_string_equal(row.shift, "overlapping");
        assert_true(k == 0 ? row.mse > 0.05 : row.mse < 1e-8);
    }
    host_twin_destroy(h);
    h = run(&lab, 1);
    assert_int_equal(host_twin_rows(h), 3);
    assert_true(read_estimate_row(h, 2).mse > 0.05); /* nothing is known of another direction */
    host_twin_destroy(h);
    h = run(&lab, 2);
    assert_true(read_estimate_row(h, 0).shift_level == 2);
    host_twin_destroy(h);
    lab_close(&lab);
}

/* The noise of a shift counts as the source's does: (1.5 / 3)^2 = 0.25. */
static void ridge_takes_the_noise_of_the_shift(void **state) {
    (void)state;
    struct lab lab = lab_open(
        ESTIMATE(SIZES "source = { scale = 3.0; }; shift = \"noisy\"; noisy = { sigma = 1.5; }; "
                       "estimator = \"ridge\"; ridge = { lambda = [-1.0, 0.25]; };"));
    struct host_twin *h = run(&lab, 0), *same = run(&lab, 1);
    assert_memory_equal(host_twin_tensor(h, "errors")->data, host_twin_tensor(same, "errors")->data,
                        FUNCTIONS * POINTS * sizeof(float));
    host_twin_destroy(h), host_twin_destroy(same);
    lab_close(&lab);
}

static void chunks_change_nothing(void **state) {
    (void)state;
    struct lab lab =
        lab_open(ESTIMATE("points = 9; functions = 10; chunk = 3; estimator = \"cart\";"));
    struct lab other = lab_open(ESTIMATE("points = 9; functions = 10; estimator = \"cart\";"));
    struct host_twin *a = run(&lab, 0), *b = run(&other, 0);
    assert_memory_equal(host_twin_tensor(a, "errors")->data, host_twin_tensor(b, "errors")->data,
                        FUNCTIONS * POINTS * sizeof(float));
    host_twin_destroy(a), host_twin_destroy(b);
    lab_close(&lab), lab_close(&other);
}

static void plan_knows_sizes_and_absence(void **state) {
    (void)state;
    struct job_cost small, large;
    struct lab lab = lab_open(ESTIMATE(SIZES)),
               more = lab_open(ESTIMATE("points = 18; functions = 100;"));
    SUCCEEDS(lab_plan(&small, &lab, "estimate", NULL, &err));
    SUCCEEDS(lab_plan(&large, &more, "estimate", NULL, &err));
    assert_true(small.memory >= FUNCTIONS * POINTS * sizeof(float));
    assert_true(large.memory > 10 * small.memory &&
                large.load.estimates > 10 * small.load.estimates);
    assert_string_equal(small.summary, "least_squares, 10 functions x 9 points, shift none");
    lab_close(&lab), lab_close(&more);
    if (estimator_find("xgboost")->absent)
        lab_refuses(ESTIMATE(SIZES "estimator = \"xgboost\";"), "estimate", NULL,
                    "estimate.estimator: this build has no xgboost: install libxgboost-dev");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_those_of_the_test_prompts),
        cmocka_unit_test(rows_summarise_the_errors),
        cmocka_unit_test(least_squares_ends_at_nothing),
        cmocka_unit_test(classification_counts_wrong_signs),
        cmocka_unit_test(ridge_takes_the_noise_of_the_source),
        cmocka_unit_test(queries_of_a_shift_are_asked),
        cmocka_unit_test(ridge_takes_the_noise_of_the_shift),
        cmocka_unit_test(chunks_change_nothing),
        cmocka_unit_test(plan_knows_sizes_and_absence),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
