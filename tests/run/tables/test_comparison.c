#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/tables/comparison.h"
#include "run/tables/comparison_cells.h"

enum { MOST = 16, BEYOND = 0 };

/* A line with these errors [repeats, functions] beyond the trained range of 6 points, and 1 in it.
 */
static struct summary_group *add_line(struct summary *s, const char *method, const char *fit,
                                      size_t repeats, size_t functions, const double *errors) {
    struct summary_group *g = &s->groups[s->n++];
    *g = (struct summary_group){.functions = functions,
                                .points = 9,
                                .source = "linear",
                                .shift = "none",
                                .of = *fit ? "fit" : "-",
                                .kind = *fit ? SUMMARY_VECTOR : SUMMARY_CONTROL,
                                .repeats = repeats,
                                .has_trained = true,
                                .n_keys = 3,
                                .n_ranges = 1,
                                .ranges = {{6, 8, "beyond"}}};
    g->ranges[SUMMARY_TRAINED] = (struct error_range){0, 5, "trained"};
    text_add(&g->keys[0], "%s", method);
    text_add(&g->keys[1], "-");
    text_add(&g->keys[2], "-");
    text_add(&g->fit, "%s", fit);
    text_add(&g->setting, "a");
    g->errors = calloc((size_t)SUMMARY_SUMS * repeats * functions, sizeof *g->errors);
    g->repeat = calloc(repeats, sizeof *g->repeat);
    assert_true(g->errors && g->repeat);
    for (size_t i = 0; i < repeats; i++) g->repeat[i] = (int64_t)i;
    for (size_t i = 0; i < repeats * functions; i++) {
        g->errors[BEYOND * repeats * functions + i] = errors[i];
        g->errors[SUMMARY_TRAINED * repeats * functions + i] = 1.0;
    }
    if (strcmp(method, "plain") == 0) g->kind = SUMMARY_BASELINE;
    if (strcmp(method, "constant") == 0 || strcmp(method, "mismatched") == 0)
        g->kind = SUMMARY_CONTROL;
    return g;
}

static struct summary empty(void) {
    struct summary s = {.groups = calloc(MOST, sizeof *s.groups),
                        .capacity = MOST,
                        .n_keys = 3,
                        .resampler = {.seed = 1, .resamples = SUMMARY_RESAMPLES}};
    assert_non_null(s.groups);
    text_add(&s.heads[0], "method");
    text_add(&s.heads[1], "reading");
    text_add(&s.heads[2], "fit_points");
    return s;
}

static struct comparisons compare(struct summary *s) {
    struct comparisons c = {0};
    assert_int_equal(comparisons_make(&c, s, NULL), ERR_OK);
    return c;
}

static void release(struct comparisons *c, struct summary *s) {
    comparisons_release(c);
    summary_release(s);
}

/* "ltv plain" "ltv constant" ...: which lines were compared. */
static void assert_pairs(const struct comparisons *c, const char *wanted) {
    struct text got = {0};
    for (size_t i = 0; i < c->n; i++)
        text_add(&got, "%s%s-%s", i ? " " : "", text_str(&c->list[i].line->keys[0]),
                 text_str(&c->list[i].other->keys[0]));
    assert_string_equal(text_str(&got), wanted);
    text_release(&got);
}

/* Vectors are compared with plain, with the best line of each control, and with their own
 * mismatched one; controls with plain. A method that nobody knows is compared like any other. */
static void who_is_compared(void **state) {
    static const double plain[] = {4, 4, 4}, half[] = {2, 2, 1}, one[] = {1, 1, 2},
                        low[] = {0, 1, 0};
    (void)state;
    struct summary s = empty();
    (void)add_line(&s, "newcomer", "fit of it", 1, 3, one);
    const struct summary_group *worse = add_line(&s, "constant", "lr 1", 1, 3, half);
    const struct summary_group *best = add_line(&s, "constant", "lr 2", 1, 3, low);
    (void)add_line(&s, "plain", "", 1, 3, plain);
    (void)add_line(&s, "window", "", 1, 3, low);
    (void)add_line(&s, "mismatched", "another fit", 1, 3, low);
    (void)add_line(&s, "mismatched", "fit of it", 1, 3, half);
    text_clear(&add_line(&s, "plain", "", 1, 3, plain)->setting); /* in another setting */
    struct comparisons c = compare(&s);
    assert_pairs(&c, "newcomer-plain newcomer-constant newcomer-window newcomer-mismatched "
                     "constant-plain constant-plain window-plain mismatched-plain "
                     "mismatched-plain");
    assert_true(c.list[1].other == best && c.list[1].other != worse);
    assert_string_equal(text_str(&c.list[3].other->fit), "fit of it");
    release(&c, &s);
}

/* Repeats are paired by their number, over those that both lines have; plain stands for every one.
 */
static void repeats_are_paired(void **state) {
    static const double ltv[] = {1, 2, /**/ 3, 4, /**/ 100, 100}, constant[] = {0, 0, /**/ 5, 5},
                        plain[] = {1, 1};
    (void)state;
    struct summary s = empty();
    (void)add_line(&s, "ltv", "l", 3, 2, ltv);
    struct summary_group *control = add_line(&s, "constant", "c", 2, 2, constant);
    control->repeat[0] = 1;
    control->repeat[1] = 0;
    (void)add_line(&s, "plain", "", 1, 2, plain);
    struct comparisons c = compare(&s);
    assert_pairs(&c, "ltv-plain ltv-constant constant-plain");
    assert_int_equal(c.list[0].seeds, 3);
    assert_true(fabs(c.list[0].by_seed[1] - 2.5) < 1e-15 && c.list[0].by_seed[2] == 99.0);
    const struct comparison *paired = &c.list[1]; /* 1 - 5, 2 - 5 and 3 - 0, 4 - 0 */
    assert_int_equal(paired->seeds, 2);
    assert_true(paired->by_seed[0] == -3.5 && paired->by_seed[1] == 3.5);
    assert_true(paired->difference.value == 0.0 && paired->over_seeds.high > 40.0);
    assert_true(paired->error == 2.5 && paired->other_error == 2.5);
    control->repeat[0] = control->repeat[1] = 7; /* none in common */
    comparisons_release(&c);
    c = compare(&s);
    assert_pairs(&c, "ltv-plain constant-plain");
    release(&c, &s);
}

/* Every number of a constructed case: 12 functions, each better by 1 in both repeats. */
static void planted_difference(void **state) {
    enum { F = 12 };
    (void)state;
    struct summary s = empty();
    double plain[F], ltv[2 * F], oracle[F];
    for (size_t i = 0; i < F; i++) {
        plain[i] = 2.0 + (double)i;
        oracle[i] = plain[i] - 2.0;
        ltv[i] = ltv[F + i] = plain[i] - 1.0;
    }
    (void)add_line(&s, "ltv", "l", 2, F, ltv);
    (void)add_line(&s, "plain", "", 1, F, plain);
    (void)add_line(&s, "oracle", "", 1, F, oracle);
    struct comparisons c = compare(&s);
    assert_pairs(&c, "ltv-plain oracle-plain");
    const struct comparison *ltv_plain = &c.list[0];
    assert_true(ltv_plain->difference.low == -1.0 && ltv_plain->difference.high == -1.0);
    assert_true(ltv_plain->tests.sign_flip == 2.0 / 4096 && ltv_plain->tests.worse == 0.0);
    assert_true(ltv_plain->tests.rank == -1.0 && isnan(ltv_plain->tests.standardised));
    assert_true(ltv_plain->over_seeds.low == -1.0 && ltv_plain->over_seeds.high == -1.0);
    assert_true(fabs(ltv_plain->recovered.value - 0.5) < 1e-12);
    assert_true(ltv_plain->holm == 2.0 * ltv_plain->tests.sign_flip); /* of two tests */
    release(&c, &s);
}

static const struct job_value *cell(const struct comparison_table *t, size_t row,
                                    const char *name) {
    const struct job_value *cells = t->cells + row * t->columns.n;
    const struct job_value *found = row_find_cell(&t->columns, cells, t->columns.n, name);
    assert_non_null(found);
    return found;
}

/* What there is no number for is NaN, which tables leave empty: of equal lines, one function, an
 * error that is not finite. */
static void cells_without_a_number(void **state) {
    static const double plain[] = {1, 2}, same[] = {1, 2}, diverged[] = {1, HUGE_VAL}, one = 3;
    (void)state;
    struct summary s = empty();
    (void)add_line(&s, "equal", "e", 1, 2, same);
    (void)add_line(&s, "diverged", "d", 1, 2, diverged);
    (void)add_line(&s, "plain", "", 1, 2, plain);
    struct comparisons c = compare(&s);
    struct comparison_table t = {0};
    assert_int_equal(comparison_table_make(&t, &c, &s, NULL), ERR_OK);
    assert_pairs(&c, "equal-plain diverged-plain");
    assert_true(cell(&t, 0, "difference")->as.real == 0.0 && isnan(cell(&t, 0, "p")->as.real));
    assert_true(isnan(cell(&t, 0, "p_holm")->as.real) && isnan(cell(&t, 0, "effect")->as.real));
    assert_true(cell(&t, 0, "worse")->as.real == 0.0);
    assert_string_equal(cell(&t, 0, "by_seed")->as.text, "");
    static const char *const numbers[] = {"error",           "difference", "difference_low",
                                          "difference_high", "p",          "p_wilcoxon",
                                          "effect",          "recovered",  "seeds_low"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(isnan(cell(&t, 1, numbers[i])->as.real));
    assert_true(cell(&t, 1, "worse")->as.real == 0.5);
    comparison_table_release(&t);
    release(&c, &s);
    s = empty();
    (void)add_line(&s, "ltv", "l", 1, 1, &one);
    (void)add_line(&s, "plain", "", 1, 1, plain);
    c = compare(&s);
    assert_true(c.n == 1 && c.list[0].difference.value == 2.0 && isnan(c.list[0].difference.low));
    assert_true(c.list[0].tests.sign_flip == 1.0 && c.list[0].tests.worse == 1.0);
    release(&c, &s);
}

static void nothing_to_compare(void **state) {
    static const double errors[] = {1, 2};
    (void)state;
    struct text out = {0};
    struct table_output o = {.out = &out, .format = TABLE_TEXT, .width = 80};
    const struct summary_layout layout = {0};
    struct summary s = empty();
    struct comparisons c = compare(&s);
    s.missing = 3;
    assert_int_equal(comparisons_print(&o, &c, &s, &layout, NULL), ERR_OK);
    assert_string_equal(text_str(&out), "No evaluation is done yet; 3 jobs left.\n");
    (void)add_line(&s, "ltv", "l", 1, 2, errors);
    text_clear(&out);
    assert_int_equal(comparisons_print(&o, &c, &s, &layout, NULL), ERR_OK);
    assert_non_null(strstr(text_str(&out), "add \"plain\" to evaluate.also"));
    text_release(&out);
    release(&c, &s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_compared),    cmocka_unit_test(repeats_are_paired),
        cmocka_unit_test(planted_difference), cmocka_unit_test(cells_without_a_number),
        cmocka_unit_test(nothing_to_compare),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
