/* Useful arithmetic against a count by hand, product by product and token by token; medians and
 * rates of tables. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/flop_count.h"
#include "bench/median.h"
#include "bench/rates_table.h"

/* Older versions of cmocka compare only floats, not doubles. */
#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const struct model_dims DIMS = {.L = 3, .H = 2, .E = 8, .inputs = 5, .positions = 40};

static double product(double rows, double in, double out) { return 2 * rows * in * out; }

/* q, k, v; output projection; both layers of the MLP. */
static double block(double rows, double E) {
    return product(rows, E, 3 * E) + product(rows, E, E) + product(rows, E, 4 * E) +
           product(rows, 4 * E, E);
}

/* Token t sees t tokens before it; the sum of 0 .. T-1 is T (T - 1) / 2, which counts as T^2 / 2.
 */
static double attention(double T, double E) { return 2 * 2 * E * T * T / 2; }

static void test_forward(void **state) {
    (void)state;
    const double T = 20, E = 8, L = 3;
    const double whole = product(T, 5, E) + L * (block(T, E) + attention(T, E));
    assert_near(flop_count_forward(&DIMS, T), whole, 1e-6);
    assert_near(flop_count_train_token(&DIMS, T), 3 * whole / T, 1e-6);
}

static void test_prefill_stops_at_the_last_keys_and_values(void **state) {
    (void)state;
    const double T = 20, E = 8;
    const double whole =
        product(T, 5, E) + 2 * (block(T, E) + attention(T, E)) + product(T, E, 2 * E);
    assert_near(flop_count_prefill(&DIMS, T), whole, 1e-6);
}

static void test_query(void **state) {
    (void)state;
    const double seen = 14, E = 8, L = 3;
    const double heads = 2 * product(1, E, seen); /* scores, and their sum of values */
    const double query = product(1, 5, E) + L * (block(1, E) + heads);
    assert_near(flop_count_query(&DIMS, seen), query, 1e-6);
    assert_near(flop_count_query_backward(&DIMS, seen), (L - 1) * (block(1, E) + heads), 1e-6);
    assert_near(flop_count_vector(&DIMS), L * product(1, E, E), 1e-6);
    const double first = block(1, E) - product(1, E, 3 * E); /* its heads are given */
    assert_near(flop_count_query_from(&DIMS, seen, 0), first + (L - 1) * (block(1, E) + heads),
                1e-6);
    assert_near(flop_count_query_from(&DIMS, seen, 2), first, 1e-6);
}

static void test_bytes(void **state) {
    (void)state;
    assert_near(flop_count_context_bytes(&DIMS, 3, 20, 4), 3 * 20 * 2 * 8 * 4, 0);
    assert_near(flop_count_context_bytes(&DIMS, 2.5, 20, 2), 2.5 * 20 * 2 * 8 * 2, 0);
}

static void test_median(void **state) {
    (void)state;
    const double odd[] = {9, 1, 5}, even[] = {4, 100, 1, 2};
    assert_near(median(odd, 3), 5, 0);
    assert_near(median(even, 4), 3, 0);
    assert_near(median(odd, 1), 9, 0);
}

static void test_rates_table(void **state) {
    (void)state;
    static struct rates_table t;
    struct rates_table_line *one = rates_table_line(&t, "fit", "prompts", 1);
    rates_table_add(one, 3);
    rates_table_add(rates_table_line(&t, "fit", "prompts", 2), 7);
    rates_table_add(rates_table_line(&t, "fit", "prompts", 1), 5);
    assert_int_equal(t.n_lines, 2);
    assert_near(rates_table_median(&t.lines[0]), 4, 0);
    assert_near(rates_table_median(&t.lines[1]), 7, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_prefill_stops_at_the_last_keys_and_values),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_rates_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
