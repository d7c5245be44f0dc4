#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stages/evaluate_world.h"

static struct err err;

static void zero_is_plain_bit_for_bit(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES), 0);
    struct host_twin *plain = evaluate_control(&w, "plain"), *zero = evaluate_control(&w, "zero");
    assert_memory_equal(evaluate_errors(plain), evaluate_errors(zero), 110 * sizeof(float));
    host_twin_destroy(plain);
    host_twin_destroy(zero);
    lab_close(&w.lab);
}

static void rows_summarise_the_errors(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES), 0);
    struct host_twin *h = evaluate_fitted(&w);
    const float *errors = evaluate_errors(h);
    assert_int_equal(host_twin_rows(h), 11);
    for (size_t k = 0; k < 11; k++) {
        const struct evaluate_row row = read_evaluate_row(h, k);
        double sum = 0;
        for (size_t i = 0; i < 10; i++) sum += (double)errors[i * 11 + k];
        assert_string_equal(row.method, "ltv");
        assert_string_equal(row.reading, "heads");
        assert_int_equal(row.fit_points, 9);
        assert_int_equal(row.repeat, 7);
        assert_string_equal(row.source, "linear");
        assert_string_equal(row.shift, "none");
        assert_true(row.shift_level == 0);
        assert_string_equal(row.dummies, "none");
        assert_int_equal(row.k, k);
        assert_int_equal(row.functions, 10);
        CLOSE(fabs(row.mse - sum / 10), 1e-12);
        assert_true(row.mse_low < row.mse && row.mse < row.mse_high);
        CLOSE(fabs(row.mse_over_variance * 3 - row.mse), 1e-9); /* E[y^2] = dims */
    }
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void every_fit_is_evaluated(void **state) {
    (void)state;
    for (size_t i = 0; i < 3; i++) { /* ltv, constant, ltv with the mean basis */
        struct evaluate_world w;
        evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES), i);
        struct host_twin *h = evaluate_fitted(&w), *plain = evaluate_control(&w, "plain");
        assert_string_equal(host_twin_note(h, "method"), i % 2 ? "constant" : "ltv");
        assert_memory_not_equal(evaluate_errors(h), evaluate_errors(plain), 110 * sizeof(float));
        host_twin_destroy(h);
        host_twin_destroy(plain);
        lab_close(&w.lab);
    }
}

/* Other bits, nearly the same errors: contexts and basis are rounded to 11 bits. */
static void half_contexts_say_nearly_the_same(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES "contexts = [\"single\", \"half\"];"), 0);
    struct host_twin *single = evaluate_fitted_at(&w, 0), *half = evaluate_fitted_at(&w, 1);
    assert_memory_not_equal(evaluate_errors(single), evaluate_errors(half), 110 * sizeof(float));
    for (size_t k = 0; k < 11; k++)
        CLOSE(fabs(evaluate_mse(half, k) - evaluate_mse(single, k)) / evaluate_mse(single, k),
              1e-3);
    host_twin_destroy(single);
    host_twin_destroy(half);
    lab_close(&w.lab);
}

/* T0 = 6 = trained: whole prompts up to k = 5, then the last five pairs. */
static void windows_begin_beyond_the_trained_range(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES), 0);
    struct host_twin *plain = evaluate_control(&w, "plain"),
                     *window = evaluate_control(&w, "window"),
                     *oracle = evaluate_control(&w, "oracle");
    assert_memory_equal(evaluate_errors(window), evaluate_errors(oracle), 110 * sizeof(float));
    for (size_t k = 0; k < 11; k++)
        assert_int_equal(evaluate_mse(plain, k) == evaluate_mse(window, k), k < 6);
    host_twin_destroy(plain);
    host_twin_destroy(window);
    host_twin_destroy(oracle);
    lab_close(&w.lab);
}

static void a_shorter_window_is_not_the_oracle(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES "basis_points = 4;"), 0);
    struct host_twin *plain = evaluate_control(&w, "plain"),
                     *window = evaluate_control(&w, "window"),
                     *oracle = evaluate_control(&w, "oracle");
    for (size_t k = 0; k < 11; k++) {
        assert_int_equal(evaluate_mse(plain, k) == evaluate_mse(window, k), k < 4);
        assert_int_equal(evaluate_mse(plain, k) == evaluate_mse(oracle, k), k < 6);
        if (k >= 6) assert_true(evaluate_mse(window, k) == evaluate_mse(oracle, k));
    }
    host_twin_destroy(plain);
    host_twin_destroy(window);
    host_twin_destroy(oracle);
    lab_close(&w.lab);
}

static struct host_twin *control_of_fit(const struct evaluate_world *w, const char *method) {
    const struct lab_job job = {
        .kind = "evaluate", .control = method, .inputs = {w->fit, w->model}, .n_inputs = 2};
    return lab_run(&w->lab, &job);
}

/* The vector of the next function, of the first after the last: of one function it is its own. */
static void mismatched_is_the_fit_of_another_function(void **state) {
    (void)state;
    static const char *const sizes[] = {"points = 11; functions = 1;", EVALUATE_SIZES};
    for (size_t s = 0; s < 2; s++) {
        char text[2048];
        (void)snprintf(text, sizeof text, EVALUATE("%s"), sizes[s]);
        struct evaluate_world w;
        evaluate_world_open(&w, text, 0);
        struct host_twin *own = evaluate_fitted(&w), *other = control_of_fit(&w, "mismatched");
        const struct job_tensor *a = host_twin_tensor(own, "errors"),
                                *b = host_twin_tensor(other, "errors");
        size_t differ = 0;
        for (size_t i = 0; i < a->shape[0] * a->shape[1]; i++) differ += a->data[i] != b->data[i];
        assert_true(s == 0 ? differ == 0 : differ == a->shape[0] * a->shape[1]);
        assert_string_equal(read_evaluate_row(other, 0).method, "mismatched");
        assert_string_equal(read_evaluate_row(other, 0).reading, "ltv.heads");
        assert_int_equal(read_evaluate_row(other, 0).fit_points, 9);
        host_twin_destroy(own);
        host_twin_destroy(other);
        lab_close(&w.lab);
    }
}

/* Whatever the chunk: the function after the last of a chunk is the first of the next. */
static void controls_of_a_fit_do_not_depend_on_chunks(void **state) {
    (void)state;
    static const char *const controls[] = {"mismatched", "random"};
    static const char *const chunks[] = {"chunk = 10;", "chunk = 4;"};
    for (size_t c = 0; c < 2; c++) {
        double last[2];
        for (size_t s = 0; s < 2; s++) {
            char text[2048];
            (void)snprintf(text, sizeof text, EVALUATE("points = 11; functions = 10; %s"),
                           chunks[s]);
            struct evaluate_world w;
            evaluate_world_open(&w, text, 0);
            struct host_twin *h = control_of_fit(&w, controls[c]), *own = evaluate_fitted(&w);
            last[s] = evaluate_mse(h, 10);
            assert_true(last[s] != evaluate_mse(own, 10));
            host_twin_destroy(h);
            host_twin_destroy(own);
            lab_close(&w.lab);
        }
        CLOSE(fabs(last[0] / last[1] - 1), 1e-5); /* other batches, other rounding */
    }
}

static void without_a_fit_or_control_it_is_plain(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES), 0);
    struct host_twin *plain = evaluate_control(&w, "plain"), *bare = evaluate_control(&w, NULL);
    assert_true(host_twin_same(plain, bare));
    host_twin_destroy(plain);
    host_twin_destroy(bare);
    lab_close(&w.lab);
}

/* The errors are those of the predictions that are kept; rows and errors do not change. */
static void predictions_and_prompts_are_kept_on_demand(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(
        &w, EVALUATE(EVALUATE_SIZES "shift = [\"none\", \"orthogonal\", \"shuffled_labels\"];"), 0);
    struct host_twin *bare = evaluate_fitted(&w);
    assert_int_equal(host_twin_tensors(bare), 1);
    lab_close(&w.lab);
    evaluate_world_open(&w,
                        EVALUATE("points = 11; functions = 10; chunk = 4; shift = [\"none\", "
                                 "\"orthogonal\", \"shuffled_labels\"]; "
                                 "keep = [\"predictions\", \"prompts\"];"),
                        0);
    for (size_t s = 0; s < 3; s++) {
        struct host_twin *h = evaluate_fitted_at(&w, s);
        const struct job_tensor *errors = host_twin_tensor(h, "errors"),
                                *predictions = host_twin_tensor(h, "predictions"),
                                *targets = host_twin_tensor(h, "targets"),
                                *x = host_twin_tensor(h, "x"),
                                *basis_x = host_twin_tensor(h, "basis_x");
        const size_t T = s == 1 ? 3 : 11; /* orthogonal: at most dims points */
        assert_true(predictions->shape[0] == 10 && predictions->shape[1] == T);
        assert_true(x->rank == 3 && x->shape[1] == T && x->shape[2] == 3);
        assert_true(basis_x->shape[0] == 10 && basis_x->shape[1] == 6); /* the trained points */
        assert_true((host_twin_tensor(h, "query_x") != NULL) == (s == 1));
        assert_true((host_twin_tensor(h, "shown_y") != NULL) == (s == 2));
        for (size_t i = 0; i < 10 * T; i++) {
            const double e = (double)predictions->data[i] - (double)targets->data[i];
            CLOSE(fabs(e * e - (double)errors->data[i]), 1e-6 * (1 + e * e));
        }
        if (s == 0)
            assert_memory_equal(evaluate_errors(h), evaluate_errors(bare), 110 * sizeof(float));
        host_twin_destroy(h);
    }
    host_twin_destroy(bare);
    lab_close(&w.lab);
}

static void weights_of_another_shape_are_refused(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES), 0);
    struct lab_job job = {.kind = "evaluate", .inputs = {w.fit, w.model}, .n_inputs = 2};
    job.inputs[0].artifact = w.model_path; /* a model where a fit should be */
    struct host_twin *h = lab_host(&w.lab, &job);
    ERROR_SAYS(host_twin_run(h, lab_work, lab_stage("evaluate"), &err), ERR_DATA, "weights");
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void stopping_is_not_failing(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES), 0);
    const struct lab_job job = {.kind = "evaluate", .inputs = {w.model}, .n_inputs = 1};
    struct host_twin *h = lab_host(&w.lab, &job);
    host_twin_stop_after(h, 2); /* asked once a chunk of 4: its 11 points are one step */
    ERROR_SAYS(host_twin_run(h, lab_work, lab_stage("evaluate"), &err), ERR_STOPPED,
               "stopped after 8 functions");
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void plan_refuses_what_cannot_run(void **state) {
    (void)state;
    lab_refuses(EVALUATE("points = 13;"), "evaluate", "pretrain", "13 points are beyond");
    lab_refuses(EVALUATE("points = 8; dummies = \"corrected\";"), "evaluate", "pretrain",
                "13 points are beyond");
    lab_refuses(
        EVALUATE("points = 8; dummies = \"corrected\"; dummy_fractions = [0, 0, 0, 0, 0, 0, "
                 "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];"),
        "evaluate", "pretrain", "dummy_fractions: 17 fractions, at most 16");
    lab_refuses(EVALUATE("points = 9; basis_points = 13;"), "evaluate", "pretrain",
                "evaluate.basis_points: 13 points are beyond");
    lab_refuses(EVALUATE("points = 9;"), "evaluate", NULL, "no model");
}

/* Operations that make contexts, as planned for a control (NULL: for the fit). */
static double planned_contexts(const struct lab *lab, const char *control) {
    struct job_cost cost;
    const struct stage_parent of[] = {{stage_find("fit"), lab_point(lab, "fit", 0)},
                                      {stage_find("pretrain"), lab_point(lab, "pretrain", 0)}};
    const struct stage_parent *const parents = control ? of + 1 : of;
    SUCCEEDS(
        stage_find("evaluate")
            ->plan(&cost, lab_point(lab, "evaluate", 0), control, parents, control ? 1 : 2, &err));
    return cost.load.contexts;
}

/* A control that reads a window makes a context for every length beyond the trained six points; a
 * fit makes one for the prompt and one for its basis. */
static void windows_are_planned_with_contexts_of_their_own(void **state) {
    (void)state;
    struct lab lab = lab_open(EVALUATE(EVALUATE_SIZES));
    const double plain = planned_contexts(&lab, "plain"), window = planned_contexts(&lab, "window");
    assert_true(window > plain + 5 * 0.4 * plain && window < plain + 5 * 0.6 * plain);
    CLOSE(fabs(planned_contexts(&lab, "oracle") - window), 0.0);
    CLOSE(fabs(planned_contexts(&lab, NULL) - (plain + (window - plain) / 5)), 1e-6 * plain);
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_plain_bit_for_bit),
        cmocka_unit_test(rows_summarise_the_errors),
        cmocka_unit_test(every_fit_is_evaluated),
        cmocka_unit_test(half_contexts_say_nearly_the_same),
        cmocka_unit_test(windows_begin_beyond_the_trained_range),
        cmocka_unit_test(a_shorter_window_is_not_the_oracle),
        cmocka_unit_test(windows_are_planned_with_contexts_of_their_own),
        cmocka_unit_test(mismatched_is_the_fit_of_another_function),
        cmocka_unit_test(controls_of_a_fit_do_not_depend_on_chunks),
        cmocka_unit_test(without_a_fit_or_control_it_is_plain),
        cmocka_unit_test(predictions_and_prompts_are_kept_on_demand),
        cmocka_unit_test(weights_of_another_shape_are_refused),
        cmocka_unit_test(stopping_is_not_failing),
        cmocka_unit_test(plan_refuses_what_cannot_run),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
