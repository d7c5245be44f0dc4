#include <math.h>
#include <string.h>

#include "stages/evaluate_world.h"
#include "stages/measures/leave_one_out_rows.h"

ROW_READER(leave_one_out_row, LEAVE_ONE_OUT_ROW)

enum { FUNCTIONS = 10, LAYERS = 2, HEADS = 4 };

/* The test functions are those of EVALUATE(EVALUATE_SIZES). */
#define LEAVE_ONE_OUT(keys)                                                                        \
    EVALUATE_HEAD "{ stage = \"leave_one_out\"; of = \"fit\"; functions = 10; chunk = 4; " keys    \
                  " },\n{ stage = \"evaluate\"; of = \"fit\"; "                                    \
                  "points = 9; functions = 10; chunk = 4; } );\n"

static struct host_twin *left_out_of(const struct evaluate_world *w) {
    const struct lab_job job = {
        .kind = "leave_one_out", .inputs = {w->fit, w->model}, .n_inputs = 2};
    return lab_run(&w->lab, &job);
}

/* With all weights the errors are those that `evaluate` finds at the last point. */
static void errors_of_all_heads(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, LEAVE_ONE_OUT(""), 0);
    struct host_twin *h = left_out_of(&w), *evaluated = evaluate_fitted(&w);
    const struct job_tensor *errors = host_twin_tensor(h, "errors"),
                            *wanted = host_twin_tensor(evaluated, "errors");
    assert_true(errors && errors->rank == 1 && errors->shape[0] == FUNCTIONS);
    assert_true(wanted && wanted->shape[1] == 9);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        const double expected = (double)wanted->data[9 * i + 8];
        CLOSE(fabs((double)errors->data[i] - expected), 1e-5 * fmax(1, expected));
    }
    host_twin_destroy(h);
    host_twin_destroy(evaluated);
    lab_close(&w.lab);
}

/* The path of a copy of the fit's artifact in which the weight of a head is 0. */
static const char *without_head(char path[SCRATCH_PATH], const struct evaluate_world *w,
                                size_t head) {
    struct err err;
    const struct lab_job job = {
        .kind = "fit", .memory = SIZE_MAX, .inputs = {w->model}, .n_inputs = 1};
    struct host_twin *h = lab_run(&w->lab, &job);
    const struct job_tensor *weights = host_twin_tensor(h, "weights");
    assert_true(weights && weights->shape[0] * weights->shape[1] == HEADS);
    ((float *)(uintptr_t)weights->data)[head] = 0;
    scratch_path(path, &w->lab.folder, "without.safetensors");
    SUCCEEDS(host_twin_save(h, path, &err));
    host_twin_destroy(h);
    return path;
}

/* The error without a head is that of an evaluation of the fit whose weight is 0 there. */
static void errors_without_a_head(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, LEAVE_ONE_OUT(""), 0);
    struct host_twin *h = left_out_of(&w);
    const struct job_tensor *errors = host_twin_tensor(h, "errors"),
                            *changes = host_twin_tensor(h, "changes");
    assert_true(changes && changes->shape[0] == 2 && changes->shape[2] == FUNCTIONS);
    for (size_t head = 0; head < HEADS; head++) {
        char path[SCRATCH_PATH];
        const struct job_input whole = w.fit;
        w.fit.artifact = without_head(path, &w, head);
        struct host_twin *evaluated = evaluate_fitted(&w);
        const struct job_tensor *wanted = host_twin_tensor(evaluated, "errors");
        for (size_t i = 0; i < FUNCTIONS; i++) {
            const double expected = (double)wanted->data[9 * i + 8];
            const double found =
                (double)errors->data[i] + (double)changes->data[head * FUNCTIONS + i];
            CLOSE(fabs(found - expected), 1e-5 * fmax(1, expected));
        }
        w.fit = whole;
        host_twin_destroy(evaluated);
    }
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void rows_summarise_the_changes(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, LEAVE_ONE_OUT("points = 11;"), 0);
    struct host_twin *h = left_out_of(&w);
    const float *errors = host_twin_tensor(h, "errors")->data,
                *changes = host_twin_tensor(h, "changes")->data;
    double mean[HEADS] = {0}, all = 0;
    assert_int_equal(host_twin_rows(h), HEADS);
    for (size_t f = 0; f < FUNCTIONS; f++) all += (double)errors[f] / FUNCTIONS;
    for (size_t i = 0; i < HEADS * FUNCTIONS; i++)
        mean[i / FUNCTIONS] += (double)changes[i] / FUNCTIONS;
    for (size_t i = 0; i < HEADS; i++) {
        const struct leave_one_out_row row = read_leave_one_out_row(h, i);
        size_t rank = 1;
        for (size_t k = 0; k < HEADS; k++) rank += mean[k] > mean[i];
        CLOSE(fabs(row.mse_change - mean[i]), 1e-6);
        CLOSE(fabs(row.mse - all - mean[i]), 1e-5);
        assert_true(row.change_low < row.mse_change && row.mse_change < row.change_high);
        assert_int_equal(row.rank, rank);
        assert_int_equal(row.layer, i / 2);
        assert_int_equal(row.head, i % 2);
        assert_int_equal(row.points, 11);
        assert_int_equal(row.repeat, 7);
    }
    assert_string_equal(host_twin_note(h, "fit"), "ltv.heads");
    assert_string_equal(host_twin_note(h, "repeat"), "7");
    host_twin_destroy(h);
    lab_close(&w.lab);
}

/* Fits of other methods are left out: a constant has no heads, and a gate of 0 is not 0. */
static void other_methods_are_left_out(void **state) {
    (void)state;
    struct lab lab = lab_open(LEAVE_ONE_OUT(""));
    const struct stage *stage = stage_find("leave_one_out");
    const struct config_point *own = lab_point(&lab, "leave_one_out", 0);
    assert_true(stage->takes(own, lab_point(&lab, "fit", 0)));
    assert_false(stage->takes(own, lab_point(&lab, "fit", 1)));
    lab_close(&lab);
}

static void long_prompts_are_refused(void **state) {
    struct err err;
    struct job_cost cost;
    (void)state;
    struct lab lab = lab_open(LEAVE_ONE_OUT("points = 13;"));
    const struct stage_parent of[] = {{stage_find("fit"), lab_point(&lab, "fit", 0)},
                                      {stage_find("pretrain"), lab_point(&lab, "pretrain", 0)}};
    ERROR_SAYS(stage_find("leave_one_out")
                   ->plan(&cost, lab_point(&lab, "leave_one_out", 0), NULL, of, 2, &err),
               ERR_CONFIG, "beyond the model's positions");
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_all_heads),        cmocka_unit_test(errors_without_a_head),
        cmocka_unit_test(rows_summarise_the_changes), cmocka_unit_test(other_methods_are_left_out),
        cmocka_unit_test(long_prompts_are_refused),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
