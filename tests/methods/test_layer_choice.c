#include "methods/layer_choice.h"

#include "model/tiny.h"

static void a_layer_that_is_told(void **state) {
    (void)state;
    const struct params p = {.dims = TINY};
    const struct method_setup s = {.params = &p, .layer = 2, .choice = 0};
    assert_int_equal(layer_choice_of(&s), 2);
    assert_int_equal(layer_choice_count(&s), 1);
    assert_true(layer_choice_shown(&s) == 2);
}

static void every_layer_is_tried_where_none_is(void **state) {
    (void)state;
    const struct params p = {.dims = TINY};
    struct method_setup s = {.params = &p, .layer = -1};
    assert_int_equal(layer_choice_count(&s), TINY.L);
    for (; s.choice < TINY.L; s.choice++) {
        assert_int_equal(layer_choice_of(&s), s.choice);
        assert_true(layer_choice_shown(&s) == (double)s.choice);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_that_is_told),
        cmocka_unit_test(every_layer_is_tried_where_none_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
