/* Every one of the 65536 values of both types, against their definition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tensorfile/half.h"

/* The value of sign, `width` mantissa bits and biased exponent by definition, NaN and infinities
 * too. */
static double by_definition(uint32_t bits, int width, int exponents) {
    const int top = (1 << exponents) - 1, bias = top / 2;
    const int exponent = (int)(bits >> width) & top;
    const double fraction = ldexp((double)(bits & ((1u << width) - 1)), -width);
    const double sign = bits >> 15 ? -1 : 1;
    if (exponent == top) return fraction > 0 ? nan("") : sign * HUGE_VAL;
    if (exponent == 0) return sign * ldexp(fraction, 1 - bias);
    return sign * ldexp(1 + fraction, exponent - bias);
}

static void same(float got, double expected, uint32_t bits) {
    const double wide = (double)got;
    if (isnan(expected) ? !isnan(wide) : wide != expected || signbit(wide) != signbit(expected))
        fail_msg("bits %04x: expected %.17g, received %.17g", bits, expected, wide);
}

static void all_values_are_exact(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        same(half_widen((uint16_t)bits), by_definition(bits, 10, 5), bits);
        same(half_widen_bfloat((uint16_t)bits), by_definition(bits, 7, 8), bits);
    }
}

static void known_values(void **state) {
    (void)state;
    assert_true(half_widen(0x3c00) == 1.0f);
    assert_true(half_widen(0x7bff) == 65504.0f);
    assert_true(half_widen(0x0001) == 0x1p-24f);
    assert_true(half_widen(0x8400) == -0x1p-14f);
    assert_true(half_widen_bfloat(0x3f80) == 1.0f);
    assert_true(half_widen_bfloat(0x0001) == 0x1p-133f);
}

/* Each half is its own rounding; between two neighbours the nearer one, of the middle the even one.
 */
static void rounding_goes_to_the_nearest(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits < 0x7c00; bits++) {
        const uint16_t low = (uint16_t)bits, high = (uint16_t)(bits + 1);
        const float a = half_widen(low);
        const float b = high < 0x7c00 ? half_widen(high) : 65536.0f;
        const float middle = 0.5f * (a + b); /* exact: halves have 11 bits */
        assert_int_equal(half_narrow(a), low);
        assert_int_equal(half_narrow(-a), low | 0x8000);
        assert_int_equal(half_narrow(nextafterf(middle, a)), low);
        assert_int_equal(half_narrow(nextafterf(middle, b)), high);
        assert_int_equal(half_narrow(middle), low % 2 == 0 ? low : high);
    }
    assert_int_equal(half_narrow(1e-30f), 0);
    assert_int_equal(half_narrow(1e30f), 0x7c00);
    assert_int_equal(half_narrow(-HUGE_VALF), 0xfc00);
    assert_true(isnan(half_widen(half_narrow(nanf("")))));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_values_are_exact),
                                       cmocka_unit_test(known_values),
                                       cmocka_unit_test(rounding_goes_to_the_nearest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
