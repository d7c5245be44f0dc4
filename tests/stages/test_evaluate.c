#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sources/problems/shift.h"
#include "stages/evaluate_rows.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"

ROW_READER(evaluate_row, EVALUATE_ROW)

#define HEAD                                                                                       \
    "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"                    \
    "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; positions = " \
    "24; }; points = 6; batch = 8; shards = 1; steps = 20; optimiser = { lr = 1e-2; }; },\n"       \
    "{ stage = \"fit\"; of = \"pretrain\"; method = [\"ltv\", \"constant\"]; basis = [\"prompt\"," \
    " \"mean\"]; points = 9; prompts = 40; batch = 16; epochs = 2; repeat = 7; },\n"
#define EVALUATE(keys) HEAD "{ stage = \"evaluate\"; of = \"fit\"; " keys " } );\n"
#define SIZES "points = 11; functions = 10; chunk = 4;"

static struct err err;

struct world {
    struct lab lab;
    char model_path[SCRATCH_PATH], fit_path[SCRATCH_PATH];
    struct job_input model, fit;
};

static void world_open(struct world *w, const char *text, size_t fit_point) {
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    struct lab_job fit = {.kind = "fit", .point = fit_point, .memory = SIZE_MAX, .n_inputs = 1};
    w->lab = lab_open(text);
    w->model = lab_make(&w->lab, &pretrain, "model.safetensors", w->model_path);
    fit.inputs[0] = w->model;
    w->fit = lab_make(&w->lab, &fit, "fit.safetensors", w->fit_path);
}

static struct host_twin *fitted_at(const struct world *w, size_t point) {
    const struct lab_job job = {
        .kind = "evaluate", .point = point, .inputs = {w->fit, w->model}, .n_inputs = 2};
    return lab_run(&w->lab, &job);
}

static struct host_twin *control_at(const struct world *w, const char *method, size_t point) {
    const struct lab_job job = {
        .kind = "evaluate", .point = point, .control = method, .inputs = {w->model}, .n_inputs = 1};
    return lab_run(&w->lab, &job);
}

static struct host_twin *control(const struct world *w, const char *method) {
    return control_at(w, method, 0);
}

static struct host_twin *fitted(const struct world *w) { return fitted_at(w, 0); }

static const float *errors_of(const struct host_twin *h) {
    const struct job_tensor *t = host_twin_tensor(h, "errors");
    assert_true(t && t->rank == 2 && t->shape[0] == 10 && t->shape[1] == 11);
    return t->data;
}

static double mse(const struct host_twin *h, size_t k) { return read_evaluate_row(h, k).mse; }

static void zero_is_plain_bit_for_bit(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES), 0);
    struct host_twin *plain = control(&w, "plain"), *zero = control(&w, "zero");
    assert_memory_equal(errors_of(plain), errors_of(zero), 110 * sizeof(float));
    host_twin_destroy(plain);
    host_twin_destroy(zero);
    lab_close(&w.lab);
}

static void rows_summarise_the_errors(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES), 0);
    struct host_twin *h = fitted(&w);
    const float *errors = errors_of(h);
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
        struct world w;
        world_open(&w, EVALUATE(SIZES), i);
        struct host_twin *h = fitted(&w), *plain = control(&w, "plain");
        assert_string_equal(host_twin_note(h, "method"), i % 2 ? "constant" : "ltv");
        assert_memory_not_equal(errors_of(h), errors_of(plain), 110 * sizeof(float));
        host_twin_destroy(h);
        host_twin_destroy(plain);
        lab_close(&w.lab);
    }
}

/* Other bits, nearly the same errors: contexts and basis are rounded to 11 bits. */
static void half_contexts_say_nearly_the_same(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES "contexts = [\"single\", \"half\"];"), 0);
    struct host_twin *single = fitted_at(&w, 0), *half = fitted_at(&w, 1);
    assert_memory_not_equal(errors_of(single), errors_of(half), 110 * sizeof(float));
    for (size_t k = 0; k < 11; k++)
        CLOSE(fabs(mse(half, k) - mse(single, k)) / mse(single, k), 1e-3);
    host_twin_destroy(single);
    host_twin_destroy(half);
    lab_close(&w.lab);
}

/* T0 = 6 = trained: whole prompts up to k = 5, then the last five pairs. */
static void windows_begin_beyond_the_trained_range(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES), 0);
    struct host_twin *plain = control(&w, "plain"), *window = control(&w, "window"),
                     *oracle = control(&w, "oracle");
    assert_memory_equal(errors_of(window), errors_of(oracle), 110 * sizeof(float));
    for (size_t k = 0; k < 11; k++) assert_int_equal(mse(plain, k) == mse(window, k), k < 6);
    host_twin_destroy(plain);
    host_twin_destroy(window);
    host_twin_destroy(oracle);
    lab_close(&w.lab);
}

static void a_shorter_window_is_not_the_oracle(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES "basis_points = 4;"), 0);
    struct host_twin *plain = control(&w, "plain"), *window = control(&w, "window"),
                     *oracle = control(&w, "oracle");
    for (size_t k = 0; k < 11; k++) {
        assert_int_equal(mse(plain, k) == mse(window, k), k < 4);
        assert_int_equal(mse(plain, k) == mse(oracle, k), k < 6);
        if (k >= 6) assert_true(mse(window, k) == mse(oracle, k));
    }
    host_twin_destroy(plain);
    host_twin_destroy(window);
    host_twin_destroy(oracle);
    lab_close(&w.lab);
}

/* Every shift runs; only what is asked beyond dims is left out, and no number is missing. */
static void every_shift_is_evaluated(void **state) {
    (void)state;
    char text[4096], names[512] = "";
    for (size_t s = 0; s < shift_count(); s++) {
        (void)strcat(strcat(strcat(names, s ? ", \"" : "\""), shift_at(s)->name), "\"");
    }
    (void)snprintf(text, sizeof text, EVALUATE(SIZES "shift = [%s]; noisy = { sigma = 0.5; };"),
                   names);
    struct world w;
    world_open(&w, text, 0);
    struct host_twin *none = fitted_at(&w, 0);
    for (size_t s = 1; s < shift_count(); s++) {
        struct host_twin *h = fitted_at(&w, s);
        const size_t rows = shift_at(s)->within_dims ? 3 : 11;
        assert_int_equal(host_twin_rows(h), rows);
        for (size_t k = 0; k < rows; k++) {
            const struct evaluate_row row = read_evaluate_row(h, k);
            assert_string_equal(row.shift, shift_at(s)->name);
            assert_true(row.shift_level == (shift_at(s)->level_key ? (s == 3 ? 0.5 : 2.0) : 0));
            assert_true(isfinite(row.mse) && row.mse > 0);
        }
        assert_true(mse(h, rows - 1) != mse(none, rows - 1));
        host_twin_destroy(h);
    }
    host_twin_destroy(none);
    lab_close(&w.lab);
}

/* One rule for all: plain and zero stay one, and either rule changes what both say. */
static void dummies_are_in_the_prompts_of_every_method(void **state) {
    (void)state;
    struct world w;
    world_open(&w,
               EVALUATE("points = 10; functions = 10; chunk = 4; dummy_fractions = [0.2, 0.6]; "
                        "dummies = [\"none\", \"as_published\", \"corrected\"];"),
               0);
    for (size_t point = 0; point < 3; point++) {
        static const char *const names[] = {"none", "as_published", "corrected"};
        struct host_twin *plain = control_at(&w, "plain", point),
                         *zero = control_at(&w, "zero", point), *fit = fitted_at(&w, point);
        assert_true(host_twin_rows(plain) == 10);
        for (size_t k = 0; k < 10; k++) {
            assert_string_equal(read_evaluate_row(plain, k).dummies, names[point]);
            assert_true(mse(plain, k) == mse(zero, k) && mse(plain, k) != mse(fit, k));
        }
        if (point > 0) {
            struct host_twin *none = control_at(&w, "plain", 0), *other = fitted_at(&w, 3 - point);
            for (size_t k = 0; k < 10; k++) {
                assert_true(mse(plain, k) != mse(none, k));
                assert_true(mse(fit, k) != mse(other, k)); /* added at other tokens */
            }
            host_twin_destroy(none);
            host_twin_destroy(other);
        }
        host_twin_destroy(plain);
        host_twin_destroy(zero);
        host_twin_destroy(fit);
    }
    lab_close(&w.lab);
}

static void shifts_that_make_no_sense_are_refused(void **state) {
    (void)state;
    lab_refuses(
        "name = \"lab\"; seed = 5; source = { problem = \"linear_classification\"; dims = 3; "
        "};\nstages = ( { stage = \"pretrain\"; model = { layers = 1; heads = 1; width = 8; "
        "positions = 24; }; points = 6; steps = 1; },\n{ stage = \"evaluate\"; of = "
        "\"pretrain\"; also = \"plain\"; points = 9; shift = \"noisy\"; } );",
        "evaluate", "pretrain", "evaluate.shift: \"noisy\" changes numbers");
    lab_refuses(
        "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 1; "
        "};\nstages = ( { stage = \"pretrain\"; model = { layers = 1; heads = 1; width = 8; "
        "positions = 24; }; points = 6; steps = 1; },\n{ stage = \"evaluate\"; of = "
        "\"pretrain\"; also = \"plain\"; points = 9; shift = \"half_subspace\"; } );",
        "evaluate", "pretrain", "needs 2 dims or more, source.dims is 1");
}

/* Other rows at positions beyond the trained 6 points, the same before them, whatever is evaluated.
 */
static void positions_beyond_the_trained_are_redrawn(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES "model = { wpe_seed = [0, 1, 2]; };"), 0);
    struct host_twin *plain[3], *again = control_at(&w, "plain", 1);
    for (size_t i = 0; i < 3; i++) plain[i] = control_at(&w, "plain", i);
    assert_memory_equal(errors_of(plain[1]), errors_of(again), 110 * sizeof(float));
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 11; k++)
            assert_int_equal(mse(plain[i], k) == mse(plain[(i + 1) % 3], k), k < 6);
        assert_int_equal(read_evaluate_row(plain[i], 0).wpe_seed, i);
    }
    for (size_t i = 0; i < 3; i++) host_twin_destroy(plain[i]);
    host_twin_destroy(again);
    lab_close(&w.lab);
}

/* What a fit was made on is what it is evaluated on, whatever the evaluation's own key says. */
static void an_evaluation_takes_the_positions_of_its_fit(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES "model = { wpe_seed = [0, 5]; };"), 0);
    struct host_twin *own = fitted_at(&w, 0), *other = fitted_at(&w, 1);
    assert_memory_equal(errors_of(own), errors_of(other), 110 * sizeof(float));
    assert_int_equal(read_evaluate_row(other, 0).wpe_seed, 0);
    host_twin_destroy(own);
    host_twin_destroy(other);
    lab_close(&w.lab);
}

static struct host_twin *control_of_fit(const struct world *w, const char *method) {
    const struct lab_job job = {
        .kind = "evaluate", .control = method, .inputs = {w->fit, w->model}, .n_inputs = 2};
    return lab_run(&w->lab, &job);
}

/* The vector of the next function, of the first after the last: of one function it is its own. */
static void mismatched_is_the_fit_of_another_function(void **state) {
    (void)state;
    static const char *const sizes[] = {"points = 11; functions = 1;", SIZES};
    for (size_t s = 0; s < 2; s++) {
        char text[2048];
        (void)snprintf(text, sizeof text, EVALUATE("%s"), sizes[s]);
        struct world w;
        world_open(&w, text, 0);
        struct host_twin *own = fitted(&w), *other = control_of_fit(&w, "mismatched");
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
            struct world w;
            world_open(&w, text, 0);
            struct host_twin *h = control_of_fit(&w, controls[c]), *own = fitted(&w);
            last[s] = mse(h, 10);
            assert_true(last[s] != mse(own, 10));
            host_twin_destroy(h);
            host_twin_destroy(own);
            lab_close(&w.lab);
        }
        CLOSE(fabs(last[0] / last[1] - 1), 1e-5); /* other batches, other rounding */
    }
}

static void without_a_fit_or_control_it_is_plain(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES), 0);
    struct host_twin *plain = control(&w, "plain"), *bare = control(&w, NULL);
    assert_true(host_twin_same(plain, bare));
    host_twin_destroy(plain);
    host_twin_destroy(bare);
    lab_close(&w.lab);
}

/* The errors are those of the predictions that are kept; rows and errors do not change. */
static void predictions_and_prompts_are_kept_on_demand(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES "shift = [\"none\", \"orthogonal\", \"shuffled_labels\"];"), 0);
    struct host_twin *bare = fitted(&w);
    assert_int_equal(host_twin_tensors(bare), 1);
    lab_close(&w.lab);
    world_open(&w,
               EVALUATE("points = 11; functions = 10; chunk = 4; shift = [\"none\", "
                        "\"orthogonal\", \"shuffled_labels\"]; "
                        "keep = [\"predictions\", \"prompts\"];"),
               0);
    for (size_t s = 0; s < 3; s++) {
        struct host_twin *h = fitted_at(&w, s);
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
        if (s == 0) assert_memory_equal(errors_of(h), errors_of(bare), 110 * sizeof(float));
        host_twin_destroy(h);
    }
    host_twin_destroy(bare);
    lab_close(&w.lab);
}

static void weights_of_another_shape_are_refused(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES), 0);
    struct lab_job job = {.kind = "evaluate", .inputs = {w.fit, w.model}, .n_inputs = 2};
    job.inputs[0].artifact = w.model_path; /* a model where a fit should be */
    struct host_twin *h = lab_host(&w.lab, &job);
    ERROR_SAYS(host_twin_run(h, lab_work, lab_stage("evaluate"), &err), ERR_DATA, "weights");
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void stopping_is_not_failing(void **state) {
    (void)state;
    struct world w;
    world_open(&w, EVALUATE(SIZES), 0);
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
    struct lab lab = lab_open(EVALUATE(SIZES));
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
        cmocka_unit_test(every_shift_is_evaluated),
        cmocka_unit_test(dummies_are_in_the_prompts_of_every_method),
        cmocka_unit_test(shifts_that_make_no_sense_are_refused),
        cmocka_unit_test(positions_beyond_the_trained_are_redrawn),
        cmocka_unit_test(an_evaluation_takes_the_positions_of_its_fit),
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
