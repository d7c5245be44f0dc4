#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_span_is_said_for_people_however_long)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
