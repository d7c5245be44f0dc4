#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/tables/error_ranges.h"

static void ranges_split_where_it_matters(void **state) {
    (void)state;
    struct error_range r[ERROR_RANGES];
    assert_int_equal(error_ranges(r, 5, 16, 41), 4);
    const size_t want[][2] = {{0, 4}, {5, 15}, {16, 40}, {40, 40}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(r[i].first, want[i][0]);
        assert_int_equal(r[i].last, want[i][1]);
    }
    assert_string_equal(r[2].name, "beyond");
}

static void empty_ranges_are_left_out(void **state) {
    (void)state;
    struct error_range r[ERROR_RANGES];
    assert_int_equal(error_ranges(r, 20, 16, 12), 2); /* all below d, and the last */
    assert_int_equal(r[0].last, 11);
    assert_int_equal(r[1].first, 11);
    assert_int_equal(error_ranges(r, 5, 0, 12), 3); /* nobody knows the trained range */
    assert_int_equal(r[1].last, 11);
    assert_int_equal(error_ranges(r, 5, 16, 1), 1);
    assert_int_equal(r[0].last, 0);
}

static void means_over_a_range_are_added_up_per_function(void **state) {
    (void)state;
    const float first[2 * 3] = {9, 1, 3, 9, 5, 7}, second[2 * 3] = {9, 3, 5, 9, 7, 9};
    const struct error_range range = {1, 2, "r"};
    double sums[2] = {0.0, 0.0};
    error_range_add(sums, first, 2, 3, &range);
    error_range_add(sums, second, 2, 3, &range);
    assert_true(sums[0] == 2 * 3.0 && sums[1] == 2 * 7.0); /* means of 2 numbers, of 2 repeats */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_split_where_it_matters),
        cmocka_unit_test(empty_ranges_are_left_out),
        cmocka_unit_test(means_over_a_range_are_added_up_per_function),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
