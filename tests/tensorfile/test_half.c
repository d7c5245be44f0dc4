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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_values_are_exact),
                                       cmocka_unit_test(known_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
