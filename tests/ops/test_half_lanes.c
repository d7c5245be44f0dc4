#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/half_lanes.h"

/* The value of a half by its definition, except for NaN. */
static double worth(uint16_t half) {
    const int exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
    const double sign = half & 0x8000 ? -1.0 : 1.0;
    if (exponent == 0x1f) return mantissa ? nan("") : sign * HUGE_VAL;
    if (exponent == 0) return sign * ldexp(mantissa, -24);
    return sign * ldexp(1024 + mantissa, exponent - 25);
}

/* Vector and scalar code must agree, so that machines with and without F16C store equal contexts.
 */
static uint16_t narrow(float x) {
    uint16_t halves[LANES];
    const uint16_t one = half_lanes_narrow_one(x);
    half_lanes_narrow(halves, lanes_all(x));
    for (size_t i = 0; i < LANES; i++)
        if (!isnan(x)) assert_int_equal(halves[i], one);
    return one;
}

static void every_half_widens_and_comes_back(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 65536; i += LANES) {
        uint16_t halves[LANES];
        for (uint32_t j = 0; j < LANES; j++) halves[j] = (uint16_t)(i + j);
        const lanes wide = half_lanes_widen(halves);
        for (uint32_t j = 0; j < LANES; j++) {
            const double want = worth(halves[j]);
            const float one = half_lanes_widen_one(halves[j]);
            if (isnan(want)) {
                assert_true(isnan(one) && isnan(wide[j]));
                continue;
            }
            assert_true((double)one == want && (double)wide[j] == want);
            assert_int_equal(!!signbit(one), halves[j] >> 15);
            assert_int_equal(!!signbit(wide[j]), halves[j] >> 15);
            assert_int_equal(narrow(one), halves[j]);
        }
    }
}

/* Numbers between two halves round to the nearer one, the middle to the even one. */
static void rounds_to_nearest_even(void **state) {
    (void)state;
    for (uint16_t low = 0; low < 0x7bff; low++) {
        const uint16_t high = (uint16_t)(low + 1), even = low % 2 == 0 ? low : high;
        const float middle = (float)((worth(low) + worth(high)) / 2.0); /* exact in a float */
        assert_int_equal(narrow(middle), even);
        assert_int_equal(narrow(nextafterf(middle, 0.0f)), low);
        assert_int_equal(narrow(nextafterf(middle, HUGE_VALF)), high);
        assert_int_equal(narrow(-middle), even | 0x8000);
    }
}

static void edges(void **state) {
    (void)state;
    assert_int_equal(narrow(65504.0f), 0x7bff);
    assert_int_equal(narrow(65519.0f), 0x7bff);
    assert_int_equal(narrow(65520.0f), 0x7bff); /* IEEE would say infinity */
    assert_int_equal(narrow(-FLT_MAX), 0xfbff);
    assert_int_equal(narrow(HUGE_VALF), 0x7c00);
    assert_int_equal(narrow(-HUGE_VALF), 0xfc00);
    assert_int_equal(narrow(-0.0f), 0x8000);
    assert_int_equal(narrow(FLT_TRUE_MIN), 0);
    assert_int_equal(narrow(0x1p-25f), 0); /* half of the smallest: to even */
    assert_int_equal(narrow(0x1.000002p-25f), 1);
    uint16_t halves[LANES];
    half_lanes_narrow(halves, lanes_all(nanf("")));
    assert_true(isnan(half_lanes_widen_one(half_lanes_narrow_one(nanf("")))));
    assert_true(isnan(half_lanes_widen_one(halves[0])));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_half_widens_and_comes_back),
                                       cmocka_unit_test(rounds_to_nearest_even),
                                       cmocka_unit_test(edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
