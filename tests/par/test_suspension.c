#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "par/suspension.h"

static long ms(double seconds) { return lround(1e3 * seconds); }

static void silence_goes_on_through_naps(void **state) {
    (void)state;
    struct suspension p = {.now = 100.0};
    double since = 98.0;
    for (int i = 1; i <= 5; i++) {
        suspension_tick(&p, 100.0 + 2.9 * i);
        suspension_move(&since, &p);
    }
    assert_int_equal(ms(since), 98000);
    assert_int_equal(ms(p.now - since), 16500);
}

static void the_time_away_is_no_silence(void **state) {
    (void)state;
    struct suspension p = {.now = 100.0};
    double since = 98.0;
    suspension_tick(&p, 3700.0);
    assert_int_equal(ms(p.length), 3600000);
    suspension_move(&since, &p);
    assert_int_equal(ms(p.now - since), 2000);
    suspension_tick(&p, 3701.0); /* reported once */
    suspension_move(&since, &p);
    assert_int_equal(ms(p.now - since), 3000);
}

/* A message that arrived after the suspension, before the tick that notices it. */
static void nothing_is_heard_in_the_future(void **state) {
    (void)state;
    struct suspension p = {.now = 100.0};
    double since = 199.0;
    suspension_tick(&p, 200.0);
    suspension_move(&since, &p);
    assert_int_equal(ms(since), 200000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_goes_on_through_naps),
        cmocka_unit_test(the_time_away_is_no_silence),
        cmocka_unit_test(nothing_is_heard_in_the_future),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
