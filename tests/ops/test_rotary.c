#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/rotary.h"
#include "twins/ops_twin.h"

enum { T = 7, H = 3, D = 12, ROW = 50, STEP = 14 };

static const struct rotary_dims CASES[] = {
    {.dims = 12, .base = 10000},
    {.dims = 6, .base = 10000}, /* part of the head */
    {.dims = 12, .base = 500000, .scaling = ROTARY_LINEAR, .factor = 4},
    /* the wavelengths of base 100 span both limits and what is between them */
    {.dims = 12,
     .base = 100,
     .scaling = ROTARY_LLAMA3,
     .factor = 8,
     .low = 1,
     .high = 4,
     .original = 64},
};
static const uint32_t POSITION[T] = {0, 1, 2, 17, 100, 255, 8191};
static const struct rotary_heads HEADS = {T, H, ROW, STEP};

static void turn_twin(double *x, const struct rotary_dims *r, enum rotary_pairs pairs, int sign) {
    for (size_t t = 0; t < T; t++)
        for (size_t h = 0; h < H; h++)
            twin_rotary(x + t * ROW + h * STEP, sign * (double)POSITION[t], r, pairs);
}

/* Turned, and turned back; the numbers between the heads stay. A rotation is orthogonal, so the
 * gradient turns back by the same angle. */
static void values_and_gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * sizeof CASES / sizeof *CASES; i++) {
        const struct rotary_dims *r = &CASES[i / 2];
        const enum rotary_pairs pairs = i % 2 ? ROTARY_ADJACENT : ROTARY_HALVES;
        struct pair x = pair_normals(T * ROW, 1, 1.0), before = pair_normals(T * ROW, 1, 1.0);
        float table[T * D];
        rotary_table(table, r, POSITION, T);
        rotary_forward(x.f, &HEADS, table, r->dims, pairs);
        turn_twin(x.d, r, pairs, 1);
        assert_true(twin_error(x.f, x.d, x.n) < 1e-6);
        assert_memory_equal(x.f + 13, before.f + 13, sizeof(float));
        rotary_backward(x.f, &HEADS, table, r->dims, pairs);
        turn_twin(x.d, r, pairs, -1);
        assert_true(twin_error(x.f, x.d, x.n) < 1e-6);
        assert_true(twin_error(x.f, before.d, x.n) < 1e-6);
        pair_free(&x), pair_free(&before);
    }
}

/* Frequencies of Llama 3 by hand: base 100, 12 dims, N = 64, so wavelengths above 64 are stretched
 * by 8 and those below 16 stay. */
static void llama3_has_three_bands(void **state) {
    (void)state;
    const struct rotary_dims plain = {.dims = 12, .base = 100};
    const uint32_t one = 1;
    float a[12], b[12];
    rotary_table(a, &plain, &one, 1);
    rotary_table(b, &CASES[3], &one, 1);
    for (size_t i = 0; i < 6; i++) { /* the sines of angles f[i], in order of falling f */
        const double f = asin((double)a[6 + i]), scaled = asin((double)b[6 + i]);
        const double u = 2 * M_PI / pow(100, -2.0 * (double)i / 12);
        if (i == 0) continue; /* f = 1, whose wavelength is 6.3 */
        if (u < 16) assert_true(fabs(scaled / f - 1) < 1e-5);
        if (u > 64) assert_true(fabs(scaled / f - 0.125) < 1e-5);
        if (u > 16 && u < 64) assert_true(scaled / f > 0.13 && scaled / f < 0.99);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_and_gradients),
                                       cmocka_unit_test(llama3_has_three_bands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
