#include <math.h>
#include <string.h>

#include "stages/evaluate_world.h"
#include "stages/measures/probe_rows.h"

ROW_READER(probe_row, PROBE_ROW)

enum { FUNCTIONS = 60, LAYERS = 2, WIDTH = 16, DIMS = 3 };

#define PROBE(keys)                                                                                \
    EVALUATE_HEAD "{ stage = \"probe\"; of = \"fit\"; functions = 60; chunk = 32; "                \
                  "keep = [\"features\"]; " keys " } );\n"

static struct host_twin *probe_fitted(const struct evaluate_world *w, const char *control) {
    const struct lab_job job = {
        .kind = "probe", .control = control, .inputs = {w->fit, w->model}, .n_inputs = 2};
    return lab_run(&w->lab, &job);
}

static struct host_twin *probe_plain(const struct evaluate_world *w) {
    const struct lab_job job = {
        .kind = "probe", .control = "plain", .inputs = {w->model}, .n_inputs = 1};
    return lab_run(&w->lab, &job);
}

static void has_rows(const struct host_twin *h, const char *method, const char *features,
                     int64_t points) {
    assert_int_equal(host_twin_rows(h), LAYERS + 1);
    for (size_t l = 0; l <= LAYERS; l++) {
        const struct probe_row row = read_probe_row(h, l);
        assert_string_equal(row.method, method);
        assert_string_equal(row.features, features);
        assert_true(row.layer == (l < LAYERS ? (int64_t)l : JOB_NO_INT));
        assert_int_equal(row.numbers, l < LAYERS ? WIDTH : LAYERS * WIDTH);
        assert_int_equal(row.basis_points, points);
        assert_int_equal(row.targets, DIMS);
        assert_int_equal(row.train, 36);
        assert_int_equal(row.test, 12);
        assert_true(row.r2_low <= row.r2 && row.r2 <= row.r2_high);
    }
}

static void rows_of_fit_and_plain(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, PROBE(""), 0);
    struct host_twin *fitted = probe_fitted(&w, NULL), *plain = probe_plain(&w);
    has_rows(fitted, "ltv", "vector", 6);
    has_rows(plain, "plain", "state", 6);
    const struct job_tensor *x = host_twin_tensor(fitted, "features"),
                            *y = host_twin_tensor(fitted, "parameters"),
                            *same = host_twin_tensor(plain, "parameters");
    assert_true(x && x->shape[0] == FUNCTIONS && x->shape[1] == LAYERS * WIDTH);
    assert_true(y && same && y->shape[1] == DIMS);
    assert_memory_equal(y->data, same->data, FUNCTIONS * DIMS * sizeof(float));
    host_twin_destroy(fitted);
    host_twin_destroy(plain);
    lab_close(&w.lab);
}

/* One vector for all functions holds nothing of any: a learned constant, and a mean over prompts.
 */
static void one_vector_says_nothing(void **state) {
    (void)state;
    for (size_t fit = 1; fit < 3; fit++) {
        struct evaluate_world w;
        evaluate_world_open(&w, PROBE(""), fit);
        struct host_twin *h = probe_fitted(&w, NULL);
        for (size_t l = 0; l <= LAYERS; l++) assert_true(read_probe_row(h, l).r2 <= 0);
        host_twin_destroy(h);
        lab_close(&w.lab);
    }
}

/* The vectors of `mismatched` are those of the next functions, the last one's of the first. */
static void vectors_of_other_functions(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, PROBE(""), 0);
    struct host_twin *own = probe_fitted(&w, NULL), *other = probe_fitted(&w, "mismatched"),
                     *drawn = probe_fitted(&w, "random");
    const float *x = host_twin_tensor(own, "features")->data,
                *next = host_twin_tensor(other, "features")->data,
                *noise = host_twin_tensor(drawn, "features")->data;
    const size_t row = LAYERS * WIDTH;
    for (size_t i = 0; i < FUNCTIONS; i++)
        for (size_t e = 0; e < row; e++)
            CLOSE(fabs((double)(next[i * row + e] - x[(i + 1) % FUNCTIONS * row + e])), 1e-5);
    double norm = 0, drawn_norm = 0;
    for (size_t e = 0; e < WIDTH; e++) {
        norm += (double)x[e] * (double)x[e];
        drawn_norm += (double)noise[e] * (double)noise[e];
    }
    CLOSE(fabs(drawn_norm / norm - 1), 1e-5);
    assert_memory_not_equal(noise, x, row * sizeof *x);
    host_twin_destroy(own);
    host_twin_destroy(other);
    host_twin_destroy(drawn);
    lab_close(&w.lab);
}

static void what_is_refused(void **state) {
    (void)state;
    lab_refuses(PROBE("basis_points = 1;"), "probe", "pretrain", "no example of their function");
    lab_refuses(PROBE("basis_points = 13;"), "probe", "pretrain", "beyond the model's positions");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_fit_and_plain),
        cmocka_unit_test(one_vector_says_nothing),
        cmocka_unit_test(vectors_of_other_functions),
        cmocka_unit_test(what_is_refused),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
