/* The prompts of evaluations: shifts, dummy pairs, positions that are redrawn. */
#include <math.h>
#include <string.h>

#include "sources/problems/shift.h"
#include "stages/evaluate_world.h"

/* Every shift runs; only what is asked beyond dims is left out, and no number is missing. */
static void every_shift_is_evaluated(void **state) {
    (void)state;
    char text[4096], names[512] = "";
    for (size_t s = 0; s < shift_count(); s++) {
        (void)strcat(strcat(strcat(names, s ? ", \"" : "\""), shift_at(s)->name), "\"");
    }
    (void)snprintf(text, sizeof text,
                   EVALUATE(EVALUATE_SIZES "shift = [%s]; noisy = { sigma = 0.5; };"), names);
    struct evaluate_world w;
    evaluate_world_open(&w, text, 0);
    struct host_twin *none = evaluate_fitted_at(&w, 0);
    for (size_t s = 1; s < shift_count(); s++) {
        struct host_twin *h = evaluate_fitted_at(&w, s);
        const size_t rows = shift_at(s)->within_dims ? 3 : 11;
        assert_int_equal(host_twin_rows(h), rows);
        for (size_t k = 0; k < rows; k++) {
            const struct evaluate_row row = read_evaluate_row(h, k);
            assert_string_equal(row.shift, shift_at(s)->name);
            assert_true(row.shift_level == (shift_at(s)->level_key ? (s == 3 ? 0.5 : 2.0) : 0));
            assert_true(isfinite(row.mse) && row.mse > 0);
        }
        assert_true(evaluate_mse(h, rows - 1) != evaluate_mse(none, rows - 1));
        host_twin_destroy(h);
    }
    host_twin_destroy(none);
    lab_close(&w.lab);
}

/* One rule for all: plain and zero stay one, and either rule changes what both say. */
static void dummies_are_in_the_prompts_of_every_method(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(
        &w,
        EVALUATE("points = 10; functions = 10; chunk = 4; dummy_fractions = [0.2, 0.6]; "
                 "dummies = [\"none\", \"as_published\", \"corrected\"];"),
        0);
    for (size_t point = 0; point < 3; point++) {
        static const char *const names[] = {"none", "as_published", "corrected"};
        struct host_twin *plain = evaluate_control_at(&w, "plain", point),
                         *zero = evaluate_control_at(&w, "zero", point),
                         *fit = evaluate_fitted_at(&w, point);
        assert_true(host_twin_rows(plain) == 10);
        for (size_t k = 0; k < 10; k++) {
            assert_string_equal(read_evaluate_row(plain, k).dummies, names[point]);
            assert_true(evaluate_mse(plain, k) == evaluate_mse(zero, k) &&
                        evaluate_mse(plain, k) != evaluate_mse(fit, k));
        }
        if (point > 0) {
            struct host_twin *none = evaluate_control_at(&w, "plain", 0),
                             *other = evaluate_fitted_at(&w, 3 - point);
            for (size_t k = 0; k < 10; k++) {
                assert_true(evaluate_mse(plain, k) != evaluate_mse(none, k));
                assert_true(evaluate_mse(fit, k) !=
                            evaluate_mse(other, k)); /* added at other tokens */
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
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES "model = { wpe_seed = [0, 1, 2]; };"), 0);
    struct host_twin *plain[3], *again = evaluate_control_at(&w, "plain", 1);
    for (size_t i = 0; i < 3; i++) plain[i] = evaluate_control_at(&w, "plain", i);
    assert_memory_equal(evaluate_errors(plain[1]), evaluate_errors(again), 110 * sizeof(float));
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 11; k++)
            assert_int_equal(evaluate_mse(plain[i], k) == evaluate_mse(plain[(i + 1) % 3], k),
                             k < 6);
        assert_int_equal(read_evaluate_row(plain[i], 0).wpe_seed, i);
    }
    for (size_t i = 0; i < 3; i++) host_twin_destroy(plain[i]);
    host_twin_destroy(again);
    lab_close(&w.lab);
}

/* What a fit was made on is what it is evaluated on, whatever the evaluation's own key says. */
static void an_evaluation_takes_the_positions_of_its_fit(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, EVALUATE(EVALUATE_SIZES "model = { wpe_seed = [0, 5]; };"), 0);
    struct host_twin *own = evaluate_fitted_at(&w, 0), *other = evaluate_fitted_at(&w, 1);
    assert_memory_equal(evaluate_errors(own), evaluate_errors(other), 110 * sizeof(float));
    assert_int_equal(read_evaluate_row(other, 0).wpe_seed, 0);
    host_twin_destroy(own);
    host_twin_destroy(other);
    lab_close(&w.lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shift_is_evaluated),
        cmocka_unit_test(dummies_are_in_the_prompts_of_every_method),
        cmocka_unit_test(shifts_that_make_no_sense_are_refused),
        cmocka_unit_test(positions_beyond_the_trained_are_redrawn),
        cmocka_unit_test(an_evaluation_takes_the_positions_of_its_fit),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
