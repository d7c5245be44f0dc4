#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/tables/summary_statistics.h"

enum { FUNCTIONS = 4, BEYOND = 0, DAMAGE = 0, RECOVERED = 1, REPEATS = 2 };

/* A line whose functions have these errors beyond the trained range, and `within` in it. */
static void add_line(struct summary *s, const char *method, const char *setting, double within,
                     const double beyond[FUNCTIONS]) {
    struct summary_group *g = &s->groups[s->n++];
    *g = (struct summary_group){.functions = FUNCTIONS,
                                .points = 9,
                                .of = "fit",
                                .repeats = REPEATS,
                                .has_trained = true,
                                .n_ranges = 1,
                                .ranges = {{6, 8, "beyond"}}};
    g->ranges[SUMMARY_TRAINED] = (struct error_range){0, 5, "trained"};
    text_add(&g->keys[0], "%s", method);
    text_add(&g->setting, "%s", setting);
    g->errors = calloc((size_t)SUMMARY_SUMS * REPEATS * FUNCTIONS, sizeof *g->errors);
    g->repeat = calloc(REPEATS, sizeof *g->repeat);
    assert_true(g->errors && g->repeat);
    for (size_t r = 0; r < REPEATS; r++) {
        g->repeat[r] = (int64_t)r;
        for (size_t f = 0; f < FUNCTIONS; f++) {
            g->errors[(BEYOND * REPEATS + r) * FUNCTIONS + f] = beyond[f];
            g->errors[(SUMMARY_TRAINED * REPEATS + r) * FUNCTIONS + f] = within + (double)f;
        }
    }
}

static struct summary make(void) {
    struct summary s = {.groups = calloc(8, sizeof *s.groups),
                        .capacity = 8,
                        .resampler = {.seed = 1, .resamples = SUMMARY_RESAMPLES}};
    assert_non_null(s.groups);
    add_line(&s, "plain", "a", 1.0, (double[]){11, 12, 13, 14});
    add_line(&s, "oracle", "a", 1.0, (double[]){1, 2, 3, 4});
    add_line(&s, "ltv", "a", 1.5, (double[]){3.5, 4.5, 5.5, 6.5}); /* three quarters of 10 */
    add_line(&s, "ltv", "b", 1.5, (double[]){3.5, 4.5, 5.5, 6.5});
    add_line(&s, "plain", "c", 1.0, (double[]){11, 12, 13, 14});
    add_line(&s, "ltv", "c", 1.5, (double[]){3.5, 4.5, 5.5, 6.5});
    return s;
}

static bool number(struct interval *out, size_t statistic, struct summary *s, size_t line) {
    return SUMMARY_STATISTICS[statistic].of(out, s, &s->groups[line]);
}

static void damage_is_the_difference_within_the_trained_range(void **state) {
    (void)state;
    struct summary s = make();
    struct interval i;
    assert_string_equal(SUMMARY_STATISTICS[DAMAGE].name, "damage");
    assert_true(number(&i, DAMAGE, &s, 2));
    assert_true(fabs(i.value - 0.5) < 1e-12 && i.low == i.value && i.high == i.value);
    assert_false(number(&i, DAMAGE, &s, 0)); /* plain itself */
    assert_false(number(&i, DAMAGE, &s, 3)); /* no plain in its setting */
    summary_release(&s);
}

static void recovered_is_the_share_of_the_loss_beyond_it(void **state) {
    (void)state;
    struct summary s = make();
    struct interval i;
    assert_string_equal(SUMMARY_STATISTICS[RECOVERED].name, "recovered");
    assert_true(number(&i, RECOVERED, &s, 2));
    assert_true(fabs(i.value - 0.75) < 1e-12);
    assert_true(fabs(i.low - 0.75) < 1e-12 && fabs(i.high - 0.75) < 1e-12);
    assert_false(number(&i, RECOVERED, &s, 0));
    assert_false(number(&i, RECOVERED, &s, 1)); /* oracle itself */
    assert_false(number(&i, RECOVERED, &s, 5)); /* no oracle in its setting */
    summary_release(&s);
}

/* Why there is no column: only where plain, oracle and another line can be compared. */
static void recovered_says_why_it_is_absent(void **state) {
    (void)state;
    struct summary s = {.groups = calloc(8, sizeof *s.groups),
                        .capacity = 8,
                        .resampler = {.seed = 1, .resamples = SUMMARY_RESAMPLES}};
    struct interval i;
    assert_non_null(s.groups);
    add_line(&s, "plain", "a", 1.0, (double[]){1, 4, 2, 3});
    add_line(&s, "oracle", "a", 1.0, (double[]){4, 1, 3, 2});
    assert_null(SUMMARY_STATISTICS[RECOVERED].absent(&s));
    add_line(&s, "ltv", "a", 1.5, (double[]){3.5, 4.5, 5.5, 6.5});
    assert_false(number(&i, RECOVERED, &s, 2));
    assert_non_null(strstr(SUMMARY_STATISTICS[RECOVERED].absent(&s), "contains 0"));
    assert_null(SUMMARY_STATISTICS[DAMAGE].absent);
    summary_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_the_difference_within_the_trained_range),
        cmocka_unit_test(recovered_is_the_share_of_the_loss_beyond_it),
        cmocka_unit_test(recovered_says_why_it_is_absent),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
