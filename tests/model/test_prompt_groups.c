/* How many prompts of a length run at once, and the memory for them. */
#include "model/prompt_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/blas.h"

enum { E = 64 };
static const struct params MODEL = {
    .dims = {.L = 2, .H = 4, .E = E, .inputs = 3, .positions = 402, .epsilon = 1e-5f}};

static void short_prompts_run_in_larger_groups(void **state) {
    (void)state;
    static const size_t ROWS[] = {0, 1, 22, 23, 45, 46, 80, 90, 91, 140, 180, 181, 400};
    static const size_t PROMPTS[] = {32, 32, 32, 16, 16, 8, 8, 8, 4, 4, 4, 4, 4};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(prompt_groups_most(ROWS[i]), PROMPTS[i]);
}

static size_t group_rows(size_t rows, size_t prompts) {
    const size_t most = prompt_groups_most(rows);
    return (prompts < most ? prompts : most) * rows;
}

/* Padded or not. */
static void a_pass_has_room_for_every_group(void **state) {
    (void)state;
    for (size_t tokens = 0; tokens <= 400; tokens += 7)
        for (size_t prompts = 1; prompts <= 40; prompts++)
            for (size_t n = 0; n <= tokens; n++) {
                const size_t room = prompt_groups_pass(tokens, prompts);
                assert_true(group_rows(n, prompts) <= room);
                assert_true(group_rows(prompt_groups_rows_most(n), prompts) <= room);
            }
}

/* As many as there are, in powers of two, and with the bits of each alone. */
static void groups_have_the_bits_of_each_prompt(void **state) {
    (void)state;
    static const size_t LENGTHS[] = {3, 12, 30, 80};
    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        struct prompt_groups g = {0};
        const size_t rows = prompt_groups_rows(&g, &MODEL, LENGTHS[i]);
        assert_true(rows == LENGTHS[i] || rows == prompt_groups_rows_most(LENGTHS[i]));
        for (size_t n = 1; n <= 40; n++) {
            const size_t taken = prompt_groups_take(&g, &MODEL, LENGTHS[i], n);
            assert_true(taken >= 1 && taken <= n && taken <= prompt_groups_most(rows));
            assert_true((taken & (taken - 1)) == 0);
            assert_true(taken == 1 || blas_rows_agree(NULL, taken, rows, E, 3 * E));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_prompts_run_in_larger_groups),
        cmocka_unit_test(a_pass_has_room_for_every_group),
        cmocka_unit_test(groups_have_the_bits_of_each_prompt),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
