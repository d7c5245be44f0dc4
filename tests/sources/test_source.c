/* Sources as stages know them: what each problem and shift says itself comes through unchanged. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sources/problems/prompts.h"
#include "sources/source_kind.h"
#include "sources/source_registry.h"
#include "twins/error_says.h"
#include "twins/keys_stage.h"

enum { N = 5, POINTS = 4, DIMS = 4 };

static struct err err;
static struct config *config;

/* The only point of a stage with these keys; valid until the next call. */
static const struct config_point *point_of(const char *keys) {
    if (config) config_close(config);
    config = NULL;
    SUCCEEDS(keys_open(&config, keys, &err));
    assert_int_equal(config_stage_points(config, 0), 1);
    return config_stage_point(config, 0, 0);
}

static struct source *open_source(const struct config_point *point, const char *covariates,
                                  bool shifted) {
    const struct source_options o = {
        .seed = 7, .split = "test", .covariates = covariates, .shifted = shifted};
    struct source *s;
    SUCCEEDS(source_open(&s, point, &o, &err));
    return s;
}

static struct prompts_setup setup_of(const struct config_point *point, bool shifted) {
    struct prompts_setup s = {.seed = 7, .split = "test"};
    problem_setup_read(&s.setup, point);
    if (shifted) shift_setup_read(&s.shift, point);
    return s;
}

static void same_floats(const float *got, const float *want, size_t n) {
    assert_int_equal(!got, !want);
    if (want) assert_memory_equal(got, want, n * sizeof *want);
}

static void same_prompts(const struct prompt_view *got, const struct prompts *p) {
    const struct prompt_view want = prompts_view(p);
    const size_t all = want.n * want.points;
    assert_int_equal(got->n, want.n);
    assert_int_equal(got->points, want.points);
    assert_int_equal(got->dims, want.dims);
    same_floats(got->x, want.x, all * want.dims);
    same_floats(got->y, want.y, all);
    same_floats(got->query_x, want.query_x, all * want.dims);
    same_floats(got->query_y, want.query_y, all);
    same_floats(got->shown_y, want.shown_y, all * want.points);
}

static void check_answers(const struct source *s, const struct prompts_setup *of) {
    const struct source_info *info = source_info(s);
    const bool classes = of->setup.problem->loss == PROBLEM_CLASSIFICATION;
    assert_string_equal(info->name, of->setup.problem->name);
    assert_string_equal(info->shift, shift_name(&of->shift));
    assert_true(info->shift_level == of->shift.level);
    assert_int_equal(info->loss.kind, classes ? LOSS_LOGISTIC : LOSS_SQUARED);
    assert_true(info->normaliser == problem_variance(&of->setup));
    assert_int_equal(info->inputs, DIMS);
    assert_int_equal(info->functions->dims, DIMS);
    assert_int_equal(info->relabels, of->shift.shift && of->shift.shift->relabels);
    assert_int_equal(source_points(s, 100), shift_points(&of->shift, DIMS, 100));
    assert_int_equal(source_bytes(s, N, POINTS), prompts_bytes(of, N, POINTS));
}

/* Two draws of different sizes, the second of later samples, in the room of the first. */
static void check_draws(struct source *s, const struct prompts_setup *of) {
    static const size_t sizes[] = {N, 2};
    for (size_t i = 0; i < 2; i++) {
        const size_t n = sizes[i];
        struct prompts want;
        SUCCEEDS(prompts_create(&want, of, n, POINTS, &err));
        prompts_draw(&want, of, 3 * n, DIMS);
        const struct prompt_view got = source_draw(s, 3 * n, n);
        same_prompts(&got, &want);
        prompts_destroy(&want);
    }
}

static void check_point(const char *keys, bool shifted) {
    const struct config_point *point = point_of(keys);
    const struct prompts_setup of = setup_of(point, shifted);
    struct source *s = open_source(point, NULL, shifted);
    check_answers(s, &of);
    SUCCEEDS(source_check(s, point, DIMS, &err));
    SUCCEEDS(source_reserve(s, N, POINTS, &err));
    check_draws(s, &of);
    source_close(s);
}

static void every_problem_comes_through(void **state) {
    (void)state;
    char keys[128];
    for (size_t i = 0; i < problem_count(); i++) {
        (void)snprintf(keys, sizeof keys, "source = { problem = \"%s\"; dims = %d; };",
                       problem_at(i)->name, DIMS);
        check_point(keys, false);
    }
    check_point("source = { problem = \"noisy_linear\"; dims = 4; scale = 3; renormalise = "
                "\"batch\"; };",
                false);
}

static void every_shift_comes_through(void **state) {
    (void)state;
    char keys[128];
    for (size_t i = 0; i < shift_count(); i++) {
        (void)snprintf(keys, sizeof keys,
                       "source = { problem = \"linear\"; dims = %d; }; shift = \"%s\";", DIMS,
                       shift_at(i)->name);
        check_point(keys, true);
    }
}

static void a_shift_stays_away_unless_asked_for(void **state) {
    (void)state;
    const struct config_point *point =
        point_of("source = { problem = \"linear\"; dims = 4; }; shift = \"skewed\";");
    const struct prompts_setup of = setup_of(point, false);
    struct source *s = open_source(point, NULL, false);
    check_answers(s, &of);
    source_close(s);
}

/* Other covariates of the same functions: ys differ, and so do xs. */
static void covariates_have_a_split_of_their_own(void **state) {
    (void)state;
    const struct config_point *point = point_of("source = { problem = \"linear\"; dims = 4; };");
    struct prompts_setup of = setup_of(point, false);
    struct prompts want;
    struct source *s = open_source(point, "basis", false), *plain = open_source(point, NULL, false);
    (void)snprintf(of.covariates, sizeof of.covariates, "basis");
    SUCCEEDS(prompts_create(&want, &of, N, POINTS, &err));
    prompts_draw(&want, &of, 0, DIMS);
    SUCCEEDS(source_reserve(s, N, POINTS, &err));
    SUCCEEDS(source_reserve(plain, N, POINTS, &err));
    const struct prompt_view got = source_draw(s, 0, N), other = source_draw(plain, 0, N);
    same_prompts(&got, &want);
    assert_true(got.x[0] != other.x[0] && got.y[0] != other.y[0]);
    prompts_destroy(&want);
    source_close(plain);
    source_close(s);
}

static void check_redraw(const char *keys) {
    const struct config_point *point = point_of(keys);
    const struct prompts_setup of = setup_of(point, true);
    struct source *s = open_source(point, NULL, true);
    struct prompts before, one;
    SUCCEEDS(prompts_create(&before, &of, N, POINTS, &err));
    SUCCEEDS(prompts_create(&one, &of, 1, POINTS, &err));
    SUCCEEDS(source_reserve(s, N, POINTS, &err));
    prompts_draw(&before, &of, 0, DIMS);
    prompts_draw(&one, &of, 77, DIMS);
    const struct prompt_view all = source_draw(s, 0, N);
    source_redraw(s, 3, 77);
    for (size_t i = 0; i < N; i++) {
        const struct prompt_view got = prompt_view_part(&all, i, 1), kept = prompts_view(&before);
        const struct prompt_view was = prompt_view_part(&kept, i, 1);
        struct prompts want = i == 3 ? one : before;
        want.n = 1;
        want.x = i == 3 ? one.x : before.x + i * POINTS * DIMS;
        want.y = i == 3 ? one.y : before.y + i * POINTS;
        if (was.query_x && i != 3) want.query_x += i * POINTS * DIMS, want.query_y += i * POINTS;
        if (was.shown_y && i != 3) want.shown_y += i * POINTS * POINTS;
        same_prompts(&got, &want);
    }
    prompts_destroy(&one);
    prompts_destroy(&before);
    source_close(s);
}

static void one_row_is_drawn_again(void **state) {
    (void)state;
    check_redraw("source = { problem = \"decision_tree\"; dims = 4; };");
    check_redraw("source = { problem = \"linear\"; dims = 4; }; shift = \"random_quadrants\";");
    check_redraw("source = { problem = \"linear\"; dims = 4; }; shift = \"shuffled_labels\";");
    check_redraw("source = { problem = \"linear\"; dims = 4; }; shift = \"skewed\";");
}

static void a_curriculum_uses_some_coordinates(void **state) {
    (void)state;
    const struct config_point *point =
        point_of("source = { problem = \"noisy_linear\"; dims = 4; scale = 2; noise = 0.5; };");
    const struct prompts_setup of = setup_of(point, false);
    struct prompts want;
    struct source *s = open_source(point, NULL, false);
    SUCCEEDS(source_reserve(s, N, POINTS, &err));
    SUCCEEDS(prompts_create(&want, &of, N, 2, &err));
    prompts_draw(&want, &of, 10, 3);
    const struct prompt_view got = source_draw_active(s, 10, N, 2, 3);
    same_prompts(&got, &want);
    assert_true(got.x[3] == 0 && got.x[2] != 0);
    assert_true(source_normaliser_active(s, DIMS) == 4 * 4 + 0.25);
    assert_true(source_normaliser_active(s, 3) == 4 * 3 + 0.25);
    assert_true(source_info(s)->functions->noise == 0.25); /* of the function before its scale */
    prompts_destroy(&want);
    source_close(s);
}

static void help_lists_every_problem_and_shift(void **state) {
    (void)state;
    assert_int_equal(source_problem_count(), problem_count());
    assert_int_equal(source_shift_count(), shift_count());
    for (size_t i = 0; i < problem_count(); i++) {
        const struct source_entry e = source_problem_entry(i);
        assert_string_equal(e.name, problem_at(i)->name);
        assert_string_equal(e.meaning, problem_at(i)->meaning);
        assert_ptr_equal(e.keys, problem_at(i)->keys);
        assert_int_equal(e.n_keys, problem_at(i)->n_keys);
    }
    for (size_t i = 0; i < shift_count(); i++) {
        const struct source_entry e = source_shift_entry(i);
        assert_string_equal(e.name, shift_at(i)->name);
        assert_string_equal(e.paper, shift_at(i)->paper);
        assert_ptr_equal(e.keys, shift_at(i)->keys);
    }
}

static void checks_name_the_key(void **state) {
    (void)state;
    const struct config_point *point =
        point_of("source = { problem = \"linear_classification\"; dims = 4; }; shift = \"noisy\";");
    struct source *s = open_source(point, NULL, true);
    ERROR_SAYS(source_check(s, point, 5, &err), ERR_CONFIG, "source.dims: ");
    ERROR_SAYS(source_check(s, point, DIMS, &err), ERR_CONFIG, "noisy");
    assert_int_equal(source_inputs(point), DIMS);
    source_close(s);
}

/* A source that is not of functions, as word pairs will be. */
static void what_needs_functions_says_so(void **state) {
    (void)state;
    const struct config_point *point = point_of("source = { problem = \"linear\"; dims = 4; };");
    const struct source words = {.info = {.name = "words"}};
    struct source *s = open_source(point, NULL, false);
    SUCCEEDS(source_check_functions(s, point, "estimate", &err));
    ERROR_SAYS(source_check_functions(&words, point, "estimate", &err), ERR_CONFIG,
               "estimate needs prompts of functions, and words has none");
    source_close(s);
}

static void benchmarks_have_linear_functions(void **state) {
    (void)state;
    const struct config_point *point = point_of("source = { problem = \"linear\"; dims = 4; };");
    const struct prompts_setup of = setup_of(point, false);
    const struct source_options o = {.seed = 7, .split = "test"};
    struct source *s;
    SUCCEEDS(source_open_linear(&s, DIMS, &o, &err));
    check_answers(s, &of);
    SUCCEEDS(source_reserve(s, N, POINTS, &err));
    check_draws(s, &of);
    source_close(s);
}

static int begin(void **state) {
    (void)scratch_begin(state);
    const enum err_code rc = source_schema(&keys_schema, &err);
    return rc == ERR_OK ? source_shift_schema(&keys_schema, &err) != ERR_OK : 1;
}

static int end(void **state) {
    config_close(config);
    return keys_end(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_comes_through),
        cmocka_unit_test(every_shift_comes_through),
        cmocka_unit_test(a_shift_stays_away_unless_asked_for),
        cmocka_unit_test(covariates_have_a_split_of_their_own),
        cmocka_unit_test(one_row_is_drawn_again),
        cmocka_unit_test(a_curriculum_uses_some_coordinates),
        cmocka_unit_test(help_lists_every_problem_and_shift),
        cmocka_unit_test(checks_name_the_key),
        cmocka_unit_test(what_needs_functions_says_so),
        cmocka_unit_test(benchmarks_have_linear_functions),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
