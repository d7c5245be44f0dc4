#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/vmath.h"

enum { STRIDE = 2039 }; /* of bit patterns: two million floats of every size */

static lanes floats_from(uint32_t bits, uint32_t stride) {
    lane_bits b;
    for (uint32_t i = 0; i < LANES; i++) b[i] = bits + i * stride;
    return (lanes)b;
}

/* |got - want| in units of the last place of a float near want. */
static double ulps(float got, double want) {
    int exponent;
    frexp(want, &exponent);
    return fabs((double)got - want) / ldexp(1.0, exponent - 24);
}

static int right(float x, float got) {
    const double want = exp((double)x);
    if (isnan(x)) return isnan(got);
    if (want < 1.9e-38) return got == 0.0f || ulps(got, want) < 1.3;
    if (isinf((float)want)) return isinf(got) && got > 0.0f;
    return ulps(got, want) < 1.3;
}

static void floats_of_every_size(void **state) {
    (void)state;
    for (uint64_t bits = 0; bits >> 32 == 0; bits += LANES * STRIDE) {
        const lanes x = floats_from((uint32_t)bits, STRIDE), got = vmath_exp(x);
        for (size_t i = 0; i < LANES; i++)
            if (!right(x[i], got[i])) fail_msg("exp(%a) = %a", (double)x[i], (double)got[i]);
    }
}

/* Neighbours of the critical points: zero, underflow, overflow, multiples of ln 2 / 2. */
static void floats_near_the_edges(void **state) {
    (void)state;
    const float edges[] = {0.0f,      -0.0f, 0.34657359f, -0.34657359f, -86.98f, -87.0f,
                           88.72284f, 89.0f, 1e-38f,      3e38f,        -3e38f};
    for (size_t e = 0; e < sizeof edges / sizeof *edges; e++) {
        uint32_t bits;
        memcpy(&bits, &edges[e], sizeof bits);
        for (uint32_t i = 0; i < 4096; i += LANES) {
            const lanes x = floats_from(bits - 2048 + i, 1), got = vmath_exp(x);
            for (size_t j = 0; j < LANES; j++)
                if (!right(x[j], got[j])) fail_msg("exp(%a) = %a", (double)x[j], (double)got[j]);
        }
    }
}

static void special_values(void **state) {
    (void)state;
    const lanes x = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, -NAN, 100.0f, -100.0f};
    const lanes e = vmath_exp(x);
    assert_true(e[0] == 1.0f && e[1] == 1.0f && isinf(e[2]) && e[2] > 0.0f && e[3] == 0.0f);
    assert_true(isnan(e[4]) && isnan(e[5]) && isinf(e[6]) && e[7] == 0.0f);
}

static void lane_does_not_matter(void **state) {
    (void)state;
    for (uint64_t bits = 0; bits >> 32 == 0; bits += 1000003) {
        const lanes x = floats_from((uint32_t)bits, 77777777), got = vmath_exp(x);
        for (size_t i = 0; i < LANES; i++) {
            const lanes alone = vmath_exp(lanes_all(x[i]));
            for (size_t j = 0; j < LANES; j++) {
                const float a = alone[j], b = got[i];
                assert_memory_equal(&a, &b, sizeof a);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_of_every_size), cmocka_unit_test(floats_near_the_edges),
        cmocka_unit_test(special_values), cmocka_unit_test(lane_does_not_matter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
