#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/tables/cell_text.h"

static void check_interval(double value, double low, double high, const char *want) {
    char cell[CELL_TEXT];
    const struct interval i = {value, low, high};
    cell_text_interval(cell, &i);
    assert_string_equal(cell, want);
}

static void intervals_have_the_digits_of_their_width(void **state) {
    (void)state;
    check_interval(0.0942, 0.0792, 0.1092, "0.094 ±0.015");
    check_interval(14.31, 12.2, 16.4, "14.3 ±2.1");
    check_interval(1234.4, 1200, 1269, "1234 ±34");
    check_interval(-0.0002, -0.0302, 0.0298, "0.000 ±0.030"); /* no negative zero */
    check_interval(0.00123, -0.00023, 0.00269, "0.0012 ±0.0015");
    check_interval(0.00026, -0.00073, 0.00125, "3e-04 ±1e-03");
    check_interval(0.0025, 0.00249, 0.00251, "0.0025 ±1e-05");
    check_interval(3.9e-15, 2.4e-15, 5.4e-15, "4e-15 ±2e-15");
    check_interval(2e7, 1e7, 3e7, "2e+07 ±1e+07");
}

static void exact_and_unknown_intervals_have_no_width(void **state) {
    (void)state;
    check_interval(0, 0, 0, "0");
    check_interval(1, 1, 1, "1");
    check_interval(0.25, nan(""), nan(""), "0.25");
    check_interval(nan(""), nan(""), nan(""), "-");
}

static void exact_numbers_read_back_the_same(void **state) {
    (void)state;
    static const double values[] = {0.1, 1.0 / 3, 1e-300, -2.5, 0.30000000000000004};
    char cell[CELL_TEXT];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        cell_text_exact(cell, values[i]);
        assert_true(strtod(cell, NULL) == values[i]);
    }
    cell_text_exact(cell, 0.1);
    assert_string_equal(cell, "0.1");
    cell_text_exact(cell, nan(""));
    assert_string_equal(cell, "");
}

static void short_numbers_have_four_digits(void **state) {
    (void)state;
    char cell[CELL_TEXT];
    cell_text_short(cell, 0.00812345);
    assert_string_equal(cell, "0.008123");
    cell_text_short(cell, nan(""));
    assert_string_equal(cell, "-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_have_the_digits_of_their_width),
        cmocka_unit_test(exact_and_unknown_intervals_have_no_width),
        cmocka_unit_test(exact_numbers_read_back_the_same),
        cmocka_unit_test(short_numbers_have_four_digits),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
