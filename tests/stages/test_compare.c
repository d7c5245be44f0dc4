#include <math.h>
#include <string.h>

#include "stages/evaluate_world.h"
#include "stages/measures/compare_rows.h"

ROW_READER(compare_row, COMPARE_ROW)

enum { FUNCTIONS = 10, LAYERS = 2, WIDTH = 16 };

/* The same functions and, at the largest k, the same queries as EVALUATE(EVALUATE_SIZES). */
#define COMPARE(keys)                                                                              \
    EVALUATE_HEAD "{ stage = \"compare\"; of = \"fit\"; functions = 10; chunk = 4; axes = 3; "     \
                  "keep = [\"states\"]; " keys " },\n"                                             \
                  "{ stage = \"evaluate\"; of = \"fit\"; " EVALUATE_SIZES " } );\n"

static struct host_twin *compare_fitted(const struct evaluate_world *w) {
    const struct lab_job job = {.kind = "compare", .inputs = {w->fit, w->model}, .n_inputs = 2};
    return lab_run(&w->lab, &job);
}

static struct host_twin *compare_control(const struct evaluate_world *w, const char *control) {
    const struct lab_job job = {
        .kind = "compare", .control = control, .inputs = {w->model}, .n_inputs = 1};
    return lab_run(&w->lab, &job);
}

static void is_the_same(const struct compare_row *row) {
    CLOSE(row->wasserstein, 1e-6);
    assert_true(row->kolmogorov_smirnov == 0);
    CLOSE(row->frechet, 1e-6);
    CLOSE(fabs(row->cka - 1), 1e-9);
    CLOSE(fabs(row->overlap - 1), 1e-9);
    CLOSE(row->angle, 1e-4);
}

/* A vector of zeros changes nothing; compared with another number of examples it does not help. */
static void zero_is_plain(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, COMPARE("k = [8, 10];"), 0);
    struct host_twin *h = compare_control(&w, "zero");
    assert_int_equal(host_twin_rows(h), 2 * 2 * LAYERS);
    for (size_t i = 0; i < 8; i++) {
        const struct compare_row row = read_compare_row(h, i);
        const bool same_k = i / LAYERS % 2 == 1;
        assert_string_equal(row.method, "zero");
        assert_string_equal(row.reference, same_k ? "same_k" : "in_range");
        assert_int_equal(row.k, i < 4 ? 8 : 10);
        assert_int_equal(row.reference_k, same_k ? row.k : 5); /* trained on 6 points */
        assert_int_equal(row.layer, i % LAYERS);
        assert_true(row.mse_change == 0);
        if (same_k) is_the_same(&row);
        if (!same_k) assert_true(row.frechet > 1e-4);
    }
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void plain_at_its_reference(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, COMPARE("k = 5; reference = 5;"), 0);
    struct host_twin *h = compare_control(&w, "plain");
    assert_int_equal(host_twin_rows(h), LAYERS);
    for (size_t l = 0; l < LAYERS; l++) {
        const struct compare_row row = read_compare_row(h, l);
        is_the_same(&row);
        assert_true(isnan(row.mse_change));
    }
    assert_string_equal(host_twin_note(h, "sets"), "plain k=5; plain k=5");
    host_twin_destroy(h);
    lab_close(&w.lab);
}

/* At the largest k the query is the point that `evaluate` asks there. */
static void errors_are_those_of_evaluate(void **state) {
    (void)state;
    for (size_t fit = 0; fit < 3; fit++) { /* ltv, constant, ltv with the mean basis */
        struct evaluate_world w;
        evaluate_world_open(&w, COMPARE("k = [2, 10];"), fit);
        struct host_twin *h = compare_fitted(&w), *evaluated = evaluate_fitted(&w),
                         *plain = evaluate_control(&w, "plain");
        const struct job_tensor *errors = host_twin_tensor(h, "errors");
        assert_true(errors && errors->shape[0] == 5 && errors->shape[1] == FUNCTIONS);
        const float *method = errors->data + 4 * FUNCTIONS, *before = errors->data + 2 * FUNCTIONS;
        for (size_t i = 0; i < FUNCTIONS; i++) {
            const float wanted = evaluate_errors(evaluated)[i * 11 + 10];
            CLOSE(fabs((double)(method[i] - wanted)), 1e-5 * fmax(1, (double)wanted));
            const float untouched = evaluate_errors(plain)[i * 11 + 10];
            CLOSE(fabs((double)(before[i] - untouched)), 1e-5 * fmax(1, (double)untouched));
        }
        const struct compare_row row = read_compare_row(h, 4);
        CLOSE(fabs(row.mse - evaluate_mse(evaluated, 10)), 1e-5 * row.mse);
        CLOSE(fabs(row.mse_change - row.mse + evaluate_mse(plain, 10)), 1e-5 * row.mse);
        assert_true(row.change_low < row.mse_change && row.mse_change < row.change_high);
        host_twin_destroy(h);
        host_twin_destroy(evaluated);
        host_twin_destroy(plain);
        lab_close(&w.lab);
    }
}

/* The order of sets and layers in the tensors: the mean state gives `mean_shift` again. */
static void states_belong_to_their_rows(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, COMPARE("k = [8, 10];"), 0);
    struct host_twin *h = compare_fitted(&w);
    const struct job_tensor *plain = host_twin_tensor(h, "states_plain"),
                            *method = host_twin_tensor(h, "states_method");
    assert_true(plain && plain->shape[0] == 3 && method && method->shape[0] == 2);
    for (size_t number = 0; number < 8; number++) {
        const struct compare_row row = read_compare_row(h, number);
        const size_t i = number / 4, l = number % LAYERS, same_k = number / LAYERS % 2;
        const float *own = method->data + (i * LAYERS + l) * FUNCTIONS * WIDTH;
        const float *other = plain->data + ((same_k ? i + 1 : 0) * LAYERS + l) * FUNCTIONS * WIDTH;
        double shift = 0;
        for (size_t e = 0; e < WIDTH; e++) {
            double gap = 0;
            for (size_t f = 0; f < FUNCTIONS; f++)
                gap += (double)(own[f * WIDTH + e] - other[f * WIDTH + e]) / FUNCTIONS;
            shift += gap * gap;
        }
        CLOSE(fabs(row.mean_shift - shift), 1e-6 * fmax(1, shift));
    }
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void what_is_refused(void **state) {
    (void)state;
    lab_refuses(COMPARE("k = [8, 12];"), "compare", "pretrain", "beyond the model's positions");
    lab_refuses(COMPARE("k = [];"), "compare", "pretrain", "is empty");
    lab_refuses(COMPARE("k = [8]; shift = \"orthogonal\";"), "compare", "pretrain",
                "at most 3 points");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_plain),
        cmocka_unit_test(plain_at_its_reference),
        cmocka_unit_test(errors_are_those_of_evaluate),
        cmocka_unit_test(states_belong_to_their_rows),
        cmocka_unit_test(what_is_refused),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
