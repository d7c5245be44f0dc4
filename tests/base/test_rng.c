#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <Random123/philox.h>

#include "base/hash.h"
#include "base/rng.h"

/* Random123's kat_vectors for philox4x64-10. */
static void philox_gives_the_published_answers(void **state) {
    (void)state;
    static const struct {
        uint64_t counter[4], key[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0},
         {0, 0},
         {0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}},
        {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
         {UINT64_MAX, UINT64_MAX},
         {0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0}},
        {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
         {0x452821e638d01377, 0xbe5466cf34e90c6c},
         {0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        philox4x64_ctr_t counter;
        philox4x64_key_t key;
        memcpy(counter.v, rows[i].counter, sizeof counter.v);
        memcpy(key.v, rows[i].key, sizeof key.v);
        const philox4x64_ctr_t out = philox4x64(counter, key);
        assert_memory_equal(out.v, rows[i].out, sizeof rows[i].out);
    }
}

static void uniforms_are_the_top_bits_of_the_words(void **state) {
    (void)state;
    static const uint64_t words[4] = {0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b,
                                      0x7e68b68aec7ba23b};
    const struct rng r = {.key = {0, 0}};
    double u[4];
    rng_uniforms(u, 4, &r, 0, 0);
    for (size_t i = 0; i < 4; i++) assert_true(u[i] == (double)(words[i] >> 11) / 0x1p53);
}

static void normals_are_box_and_muller_of_the_words(void **state) {
    (void)state;
    const struct rng r = {.key = {0, 0}};
    double u[4];
    float z[4];
    rng_uniforms(u, 4, &r, 0, 0);
    rng_normals(z, 4, &r, 0, 0);
    for (size_t i = 0; i < 4; i += 2) {
        const double radius = sqrt(-2 * log(1 - u[i])), angle = 2 * acos(-1.0) * u[i + 1];
        assert_true(fabs((double)z[i] - radius * cos(angle)) < 1e-6);
        assert_true(fabs((double)z[i + 1] - radius * sin(angle)) < 1e-6);
    }
}

static void a_stream_is_seed_and_name(void **state) {
    (void)state;
    const struct rng r = rng_stream(7, "linear/test/function");
    assert_true(r.key[0] == 7);
    assert_true(r.key[1] == hash_name("linear/test/function"));
}

static void every_name_and_number_matters(void **state) {
    (void)state;
    const struct rng a = rng_stream(1, "a"), b = rng_stream(1, "b"), c = rng_stream(2, "a");
    float z[5][3];
    rng_normals(z[0], 3, &a, 5, 6);
    rng_normals(z[1], 3, &b, 5, 6);
    rng_normals(z[2], 3, &c, 5, 6);
    rng_normals(z[3], 3, &a, 6, 5);
    rng_normals(z[4], 3, &a, 5, 7);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++) assert_memory_not_equal(z[i], z[j], sizeof z[i]);
}

static void more_numbers_keep_the_earlier_ones(void **state) {
    (void)state;
    const struct rng r = rng_stream(1, "prefix");
    float z[50], longer[51];
    double u[9], longer_u[11];
    for (size_t n = 0; n <= 50; n += 7) {
        rng_normals(z, n, &r, 3, 4);
        rng_normals(longer, n + 1, &r, 3, 4);
        if (n > 0) assert_memory_equal(z, longer, n * sizeof *z);
    }
    rng_uniforms(u, 9, &r, 3, 4);
    rng_uniforms(longer_u, 11, &r, 3, 4);
    assert_memory_equal(u, longer_u, sizeof u);
}

static void normals_have_the_moments_of_a_normal(void **state) {
    (void)state;
    enum { N = 200000 };
    const struct rng r = rng_stream(1, "moments");
    float *z = malloc(N * sizeof *z);
    double sum[5] = {0}, neighbours = 0;
    size_t beyond = 0;
    assert_non_null(z);
    rng_normals(z, N, &r, 0, 0);
    for (size_t i = 0; i < N; i++) {
        double power = 1;
        for (size_t k = 1; k < 5; k++) sum[k] += power *= (double)z[i];
        if (i > 0) neighbours += (double)z[i] * (double)z[i - 1];
        beyond += fabs((double)z[i]) > 1.959963984540054;
    }
    free(z);
    const double unit = 1 / sqrt((double)N); /* standard errors: 1, 2, 15, 96 under the root */
    assert_true(fabs(sum[1] / N) < 4 * unit);
    assert_true(fabs(sum[2] / N - 1) < 4 * sqrt(2.0) * unit);
    assert_true(fabs(sum[3] / N) < 4 * sqrt(15.0) * unit);
    assert_true(fabs(sum[4] / N - 3) < 4 * sqrt(96.0) * unit);
    assert_true(fabs(neighbours / N) < 4 * unit);
    assert_true(fabs((double)beyond / N - 0.05) < 4 * sqrt(0.05 * 0.95) * unit);
}

static void uniforms_fill_their_interval(void **state) {
    (void)state;
    enum { N = 100000, BINS = 20 };
    const struct rng r = rng_stream(1, "uniform");
    size_t bins[BINS] = {0};
    for (uint64_t i = 0; i < N / 4; i++) {
        double u[4];
        rng_uniforms(u, 4, &r, i, 0);
        for (size_t j = 0; j < 4; j++) {
            assert_true(u[j] >= 0 && u[j] < 1);
            bins[(size_t)(u[j] * BINS)]++;
        }
    }
    double chi = 0;
    for (size_t b = 0; b < BINS; b++) chi += pow((double)bins[b] - N / BINS, 2) / (N / BINS);
    assert_true(chi < 43.8); /* 19 degrees of freedom, p = .001 */
}

static void below_is_unbiased(void **state) {
    (void)state;
    enum { N = 30000 };
    const struct rng r = rng_stream(1, "below");
    const uint64_t large = 3ULL << 62; /* words modulo this would favour the first third by 1/2 */
    size_t first_third = 0, sevenths[7] = {0};
    double chi = 0;
    for (uint64_t i = 0; i < N; i++) {
        assert_true(rng_below(1, &r, i, 0, 0) == 0);
        const uint64_t small = rng_below(7, &r, i, 1, 0), big = rng_below(large, &r, i, 2, 0);
        assert_true(small < 7 && big < large);
        sevenths[small]++;
        first_third += big < large / 3;
    }
    for (size_t k = 0; k < 7; k++) chi += pow((double)sevenths[k] - N / 7.0, 2) / (N / 7.0);
    assert_true(chi < 22.5); /* 6 degrees of freedom, p = .001 */
    assert_true(fabs((double)first_third / N - 1.0 / 3) < 4 * sqrt(2.0 / 9 / N));
}

static void permutations_hold_each_number_once(void **state) {
    (void)state;
    enum { SIZE = 5, DRAWS = 24000 };
    const struct rng r = rng_stream(1, "permutation");
    uint32_t order[100], again[100];
    size_t first[SIZE][SIZE] = {{0}}; /* [number][place] */
    bool seen[100] = {false};
    rng_permutation(order, 100, &r, 3, 4);
    rng_permutation(again, 100, &r, 3, 4);
    assert_memory_equal(order, again, sizeof order);
    for (size_t i = 0; i < 100; i++) {
        assert_true(order[i] < 100 && !seen[order[i]]);
        seen[order[i]] = true;
    }
    for (uint64_t d = 0; d < DRAWS; d++) {
        rng_permutation(order, SIZE, &r, d, 0);
        for (size_t i = 0; i < SIZE; i++) first[order[i]][i]++;
    }
    for (size_t n = 0; n < SIZE; n++)
        for (size_t i = 0; i < SIZE; i++) /* binomial, p = 1/5: sd 62 */
            assert_in_range(first[n][i], DRAWS / SIZE - 280, DRAWS / SIZE + 280);
    rng_permutation(order, 1, &r, 0, 0);
    assert_int_equal(order[0], 0);
    rng_permutation(order, 0, &r, 0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(uniforms_are_the_top_bits_of_the_words),
        cmocka_unit_test(normals_are_box_and_muller_of_the_words),
        cmocka_unit_test(a_stream_is_seed_and_name),
        cmocka_unit_test(every_name_and_number_matters),
        cmocka_unit_test(more_numbers_keep_the_earlier_ones),
        cmocka_unit_test(normals_have_the_moments_of_a_normal),
        cmocka_unit_test(uniforms_fill_their_interval),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(permutations_hold_each_number_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
