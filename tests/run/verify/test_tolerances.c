/* How the bound of a comparison depends on the size of what is compared. */
#include "run/verify/tolerances.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void bounds_follow_their_scale(void **state) {
    (void)state;
    const double forward = tolerance_bound(TOLERANCE_FORWARD, 0); /* scaled */
    assert_true(forward > 0 && tolerance_bound(TOLERANCE_FORWARD, 0.5) == forward);
    assert_true(tolerance_bound(TOLERANCE_FORWARD, 8) == 8 * forward);
    const double gradient = tolerance_bound(TOLERANCE_GRADIENT, 1); /* relative */
    assert_true(gradient > 0 && tolerance_bound(TOLERANCE_GRADIENT, 0.25) == 0.25 * gradient);
    const double attention = tolerance_bound(TOLERANCE_ATTENTION, 0); /* absolute */
    assert_true(attention > 0 && tolerance_bound(TOLERANCE_ATTENTION, 100) == attention);
    const double noise = tolerance_bound(TOLERANCE_NOISE_VARIANCE, 1); /* standard deviations */
    assert_true(noise > 1 && tolerance_bound(TOLERANCE_NOISE_VARIANCE, 2) == 2 * noise);
    assert_true(tolerance_bound(TOLERANCE_TOP_HEADS, 3) == 0);
}

static void the_size_is_the_largest_reference(void **state) {
    (void)state;
    const float want[] = {1, -4, 2};
    assert_true(tolerance_of(TOLERANCE_GRADIENT, want, 3) ==
                tolerance_bound(TOLERANCE_GRADIENT, 4));
    assert_true(tolerance_of(TOLERANCE_FORWARD, want, 1) == tolerance_bound(TOLERANCE_FORWARD, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_follow_their_scale),
        cmocka_unit_test(the_size_is_the_largest_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
