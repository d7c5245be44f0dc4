#include "activations/head_ranking.h"

#include "model/tiny.h"

static void tops_are_rounded(void **state) {
    (void)state;
    assert_int_equal(head_ranking_top(0, 96), 0);
    assert_int_equal(head_ranking_top(0.01, 12), 1);
    assert_int_equal(head_ranking_top(0.02, 96), 2);
    assert_int_equal(head_ranking_top(0.2, 96), 19);
    assert_int_equal(head_ranking_top(1, 96), 96);
}

static void excluded_heads_are_left_out_in_order(void **state) {
    (void)state;
    const uint32_t order[] = {3, 1, 0, 2}, excluded[] = {1, 2, 3, 0}, want[] = {3, 0};
    uint32_t out[4];
    assert_int_equal(head_ranking_without(out, order, 4, excluded, 2), 2);
    assert_memory_equal(out, want, sizeof want);
    assert_int_equal(head_ranking_without(out, order, 4, excluded, 0), 4);
    assert_memory_equal(out, order, sizeof order);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tops_are_rounded),
        cmocka_unit_test(excluded_heads_are_left_out_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
