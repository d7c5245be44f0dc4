#include "sources/prompt_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void tokens_interleave(void **state) {
    (void)state;
    const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y[4] = {-1, -2, -3, -4};
    const float want[16] = {1, 2, -1, 0, 3, 4, -2, 0, 5, 6, -3, 0, 7, 8, -4, 0};
    float tokens[16];
    memset(tokens, 0x7f, sizeof tokens);
    prompt_tokens(tokens, x, y, 2, 2, 2);
    assert_memory_equal(tokens, want, sizeof want);
}

static void parts_are_views(void **state) {
    (void)state;
    const float x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, y[6] = {0, 1, 2, 3, 4, 5};
    const struct prompt_view all = {.n = 3, .points = 2, .dims = 2, .x = x, .y = y};
    const struct prompt_view part = prompt_view_part(&all, 1, 2);
    assert_int_equal(part.n, 2);
    assert_true(part.y == y + 2 && prompt_view_x(&part, 1, 1) == x + 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_interleave),
        cmocka_unit_test(parts_are_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
