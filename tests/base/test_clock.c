#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

static void a_span_is_said_for_people_however_long(void **state) {
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{-5.0, "0 s"},
                 {0.4, "0 s"},
                 {41.6, "42 s"},
                 {185.0, "3 min 05 s"},
                 {7800.0, "2 h 10 min"},
                 {3.1e25, "99999 h 00 min"},
                 {(double)INFINITY, "99999 h 00 min"},
                 {(double)NAN, "0 s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        clock_span(text, cases[i].seconds);
        assert_string_equal(text, cases[i].text);
    }
}

static void short_spans_keep_two_digits(void **state) {
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0.0, "0 s"},    {0.0036, "0.0036 s"}, {0.42, "0.42 s"},
                 {3.14, "3.1 s"}, {9.96, "10 s"},       {185.0, "3 min 05 s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        clock_span_fine(text, cases[i].seconds);
        assert_string_equal(text, cases[i].text);
    }
}

static void an_offset_that_is_no_number_is_none(void **state) {
    (void)state;
    static const char *const words[] = {"", "abc", "12 hours", "nan", "inf", "-1e300"};
    assert_int_equal(setenv("TASKVEC_CLOCK_OFFSET", "-7200.5", 1), 0);
    assert_true(clock_offset() == -7200.5);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_int_equal(setenv("TASKVEC_CLOCK_OFFSET", words[i], 1), 0);
        if (clock_offset() != 0.0) fail_msg("\"%s\" gives %g", words[i], clock_offset());
    }
    assert_int_equal(unsetenv("TASKVEC_CLOCK_OFFSET"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_span_is_said_for_people_however_long),
                                       cmocka_unit_test(short_spans_keep_two_digits),
                                       cmocka_unit_test(an_offset_that_is_no_number_is_none)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
