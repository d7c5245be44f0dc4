/* From a config file, through the rows every problem offers, to the numbers of one problem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/config.h"
#include "sources/problems/problem.h"
#include "sources/source_registry.h"
#include "twins/error_says.h"
#include "twins/keys_stage.h"

static struct err err;

static struct problem_setup setup_from(const char *keys, size_t point, size_t points) {
    struct config *c = NULL;
    struct problem_setup s = {0};
    SUCCEEDS(keys_open(&c, keys, &err));
    assert_int_equal(config_stage_points(c, 0), points);
    problem_setup_read(&s, config_stage_point(c, 0, point));
    config_close(c);
    return s;
}

static void defaults(void **state) {
    (void)state;
    const struct problem_setup s = setup_from("", 0, 1);
    assert_ptr_equal(s.problem, problem_find("linear"));
    assert_int_equal(s.dims, 5);
    assert_int_equal(s.size, 0);
    assert_true(s.scale == 1 && s.noise == 0 && !s.renormalise);
}

static void keys_of_each_problem(void **state) {
    (void)state;
    struct problem_setup s =
        setup_from("source = { problem = \"sparse_linear\"; dims = 20; };", 0, 1);
    assert_int_equal(s.size, 3);
    assert_true(problem_variance(&s) == 3);
    s = setup_from("source = { problem = \"relu_net\"; };", 0, 1);
    assert_int_equal(s.size, 100);
    s = setup_from("source = { problem = \"decision_tree\"; depth = 2; scale = 3; };", 0, 1);
    assert_int_equal(s.size, 2);
    assert_true(problem_variance(&s) == 9);
    s = setup_from("source = { problem = \"noisy_linear\"; };", 0, 1);
    assert_true(s.noise == 1 && !s.renormalise && problem_variance(&s) == 6);
    s = setup_from("source = { problem = \"noisy_linear\"; noise = 2; renormalise = \"batch\"; };",
                   0, 1);
    assert_true(s.noise == 2 && s.renormalise && problem_variance(&s) == 5);
    s = setup_from("source = { problem = \"linear_classification\"; scale = 7; };", 0, 1);
    assert_true(s.scale == 1 && problem_variance(&s) == 1); /* signs stay signs */
}

static void axes_of_one_problem_do_not_multiply_another(void **state) {
    (void)state;
    const char *keys =
        "source = { problem = [\"linear\", \"sparse_linear\"]; sparsity = [1, 2]; };";
    assert_string_equal(setup_from(keys, 0, 3).problem->name, "linear");
    const struct problem_setup s = setup_from(keys, 2, 3);
    assert_string_equal(s.problem->name, "sparse_linear");
    assert_int_equal(s.size, 2);
}

static void what_is_refused(void **state) {
    (void)state;
    struct config *c = NULL;
    ERROR_SAYS(keys_open(&c, "source = { problem = \"linaer\"; };", &err), ERR_CONFIG, "linear");
    ERROR_SAYS(keys_open(&c, "source = { dims = 0; };", &err), ERR_CONFIG, "source.dims");
    ERROR_SAYS(keys_open(&c, "source = { dims = 1001; };", &err), ERR_CONFIG, "source.dims");
    ERROR_SAYS(keys_open(&c, "source = { sparsity = 2; };", &err), ERR_CONFIG, "source.sparsity");
}

static int begin(void **state) {
    (void)scratch_begin(state);
    return source_schema(&keys_schema, &err) == ERR_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(keys_of_each_problem),
        cmocka_unit_test(axes_of_one_problem_do_not_multiply_another),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, keys_end);
}
