/* Axes: which points, in which order; and the ways an axis can be wrong. */
#include <time.h>

#include "config/sample.h"

#define FIT(keys) "stages = (\n  { stage = \"fit\"; points = 16;\n" keys "\n  }\n);\n"

/* The i-th point's values of the named keys, "-" where it has no such key. */
static void describe(char out[256], const struct config_point *p, const char *const *keys,
                     size_t n) {
    struct text text = {0};
    for (size_t j = 0; j < n; j++) {
        size_t k = 0;
        if (j > 0) text_add(&text, " ");
        if (!config_has(p, keys[j])) {
            text_add(&text, "-");
            continue;
        }
        while (strcmp(config_point_key(p, k)->name, keys[j]) != 0) k++;
        config_point_value(&text, p, k);
    }
    (void)snprintf(out, 256, "%s", text_str(&text));
    text_release(&text);
}

static void expect_points(const char *text, const char *const *keys, size_t n_keys,
                          const char *const *want, size_t n) {
    struct config *c = sample_open(text);
    char got[256];
    assert_int_equal(config_stage_points(c, 0), n);
    for (size_t i = 0; i < n; i++) {
        describe(got, config_stage_point(c, 0, i), keys, n_keys);
        assert_string_equal(got, want[i]);
    }
    config_close(c);
}

static void axes_multiply_the_last_fastest(void **state) {
    (void)state;
    static const char *const keys[] = {"points", "repeat", "optimiser.lr"};
    static const char *const want[] = {"3 0 0.5", "3 0 0.25", "3 1 0.5", "3 1 0.25",
                                       "2 0 0.5", "2 0 0.25", "2 1 0.5", "2 1 0.25"};
    expect_points("stages = ( { stage = \"fit\"; optimiser = { lr = [0.5, 0.25]; };\n"
                  "repeat = [0, 1]; points = [3, 2]; } );",
                  keys, 3, want, 8);
}

static void keys_with_a_condition_multiply_only_where_they_exist(void **state) {
    (void)state;
    static const char *const keys[] = {"method", "ltv.reading", "constant.at"};
    static const char *const want[] = {"\"ltv\" \"heads\" -", "\"ltv\" \"blocks\" -",
                                       "\"zero\" - 7", "\"zero\" - 8"};
    expect_points(
        FIT("method = [\"ltv\", \"zero\"]; ltv = { reading = [\"heads\", \"blocks\"]; };\n"
            "constant = { at = [7, 8]; }; weights = [];"),
        keys, 3, want, 4);
}

static void a_condition_may_come_before_what_it_asks(void **state) {
    (void)state;
    static const struct config_key rows[] = {
        {.name = "a", .type = CONFIG_INT, .flags = CONFIG_AXIS, .def = "[1, 2]", .when = "b=1"},
        {.name = "b", .type = CONFIG_INT, .flags = CONFIG_AXIS, .def = "[1, 2]", .when = "c=true"},
        {.name = "c", .type = CONFIG_BOOL, .flags = CONFIG_AXIS, .def = "[true, false]"},
    };
    static const char *const keys[] = {"a", "b", "c"};
    static const char *const want[] = {"1 1 true", "- - false", "- 2 true", "2 1 true"};
    struct config_schema kept = sample_fit;
    struct err err;
    sample_fit = (struct config_schema){0};
    assert_int_equal(config_schema_add(&sample_fit, ROWS(rows), &err), ERR_OK);
    expect_points("stages = ( { stage = \"fit\"; } );", keys, 3, want, 4);
    config_schema_release(&sample_fit);
    sample_fit = kept;
}

static void zipped_keys_advance_together(void **state) {
    (void)state;
    static const char *const keys[] = {"points", "repeat", "optimiser.lr"};
    static const char *const want[] = {"3 0 0.5", "3 1 0.5", "2 0 0.5", "2 1 0.5"};
    expect_points(
        "stages = ( { stage = \"fit\"; optimiser = { lr = [0.5, 0.5]; };\n"
        "repeat = [0, 1]; points = [3, 2]; zip = ( [\"optimiser.lr\", \"points\"] ); } );",
        keys, 3, want, 4);
    expect_points("stages = ( { stage = \"fit\"; optimiser = { lr = [0.5, 0.5]; };\n"
                  "repeat = [0, 1]; points = [3, 2]; zip = [\"optimiser.lr\", \"points\"]; } );",
                  keys, 3, want, 4);
}

static void a_list_gives_combinations_times_the_other_axes(void **state) {
    (void)state;
    static const char *const keys[] = {"method", "points", "repeat", "optimiser.lr"};
    static const char *const want[] = {"\"ltv\" 1 0 0.5",      "\"ltv\" 1 1 0.5",
                                       "\"ltv\" 4 0 0.25",     "\"ltv\" 4 1 0.25",
                                       "\"constant\" 4 0 0.5", "\"constant\" 4 1 0.5"};
    expect_points("stages = ( { stage = \"fit\"; optimiser = { lr = 0.5; }; repeat = [0, 1];\n"
                  "list = ( { points = 1; }, { points = 4; optimiser = { lr = 0.25; }; },\n"
                  "         { points = 4; method = \"constant\"; } ); } );",
                  keys, 4, want, 6);
}

static void excluded_points_are_dropped(void **state) {
    (void)state;
    static const char *const keys[] = {"method", "points"};
    static const char *const want[] = {"\"ltv\" 1", "\"constant\" 1", "\"constant\" 2"};
    expect_points(
        "stages = ( { stage = \"fit\"; method = [\"ltv\", \"constant\"]; points = [1, 2, 3];\n"
        "exclude = ( { method = \"ltv\"; points = [2, 7]; }, { points = 3; } ); } );",
        keys, 2, want, 3);
}

static void axes_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } all[] = {
        {FIT("repeat = [];"), "a.cfg:3: fit.repeat: an empty axis: give one value or more"},
        {FIT("repeat = [1, 2, 1];"), "a.cfg:2: fit: two equal points (repeat = 1): a value is "
                                     "repeated in an axis, zip or list"},
        {FIT("repeat = [1, 2];\noptimiser = { lr = [0.5, 0.25, 1]; };\n"
             "zip = ([\"repeat\",\n\"optimiser.lr\"]);"),
         "a.cfg:6: fit.zip: unequal lengths: repeat has 2, optimiser.lr has 3"},
        {FIT("zip = ([\"repeat\", \"optimiser.lrr\"]);"),
         "a.cfg:3: fit.optimiser.lrr: unknown key (did you mean fit.optimiser.lr?)"},
        {FIT("zip = ([\"repeat\"]);"), "a.cfg:3: fit.zip: expected two keys or more, received 1"},
        {FIT("zip = ([\"repeat\", \"repeat\"]);"), "a.cfg:3: fit.zip: repeat is named twice"},
        {FIT("zip = ([\"repeat\", \"batch\"]);"),
         "a.cfg:3: fit.zip: batch is not an axis: it has one value in a stage"},
        {FIT("zip = ([\"repeat\", \"points\"], [\"points\", \"method\"]);"),
         "a.cfg:3: fit.zip: points is already in another zip or in list"},
        {FIT("zip = 3;"),
         "a.cfg:3: fit.zip: expected a list ( [\"KEY\", \"KEY\"], ... ), received 3"},
        {FIT("zip = ([1, 2]);"), "a.cfg:3: fit.zip: expected the name of a key, received 1"},
        {FIT("list = ();"), "a.cfg:3: fit.list: an empty axis: give one entry or more"},
        {FIT("list = ( { } );"), "a.cfg:3: fit.list: an empty { }: give KEY = VALUE"},
        {FIT("list = ( 3 );"),
         "a.cfg:3: fit.list: expected a group { KEY = VALUE; ... }, received 3"},
        {FIT("list = ( { repeat = 1; },\n{ repeat = -1; } );"),
         "a.cfg:4: fit.repeat: -1 is out of bounds (0 .. 1000000)"},
        {FIT("list = ( { repeat = [1, 2]; } );"),
         "a.cfg:3: fit.repeat: an entry of list takes one value per key"},
        {FIT("list = ( { batch = 1; } );"),
         "a.cfg:3: fit.list: batch is not an axis: it has one value in a stage"},
        {FIT("repeat = [3, 4]; list = ( { repeat = 1; } );"),
         "a.cfg:3: fit.repeat: an axis of its own and also in list: choose one"},
        {FIT("repeat = 3; list = ( { repeat = 1; } );"),
         "a.cfg:3: fit.repeat: has no effect: every entry of list sets it"},
        {FIT("list = ( { repeat = 1; }, { repeat = 1; } );"),
         "a.cfg:2: fit: two equal points (repeat = 1): a value is repeated in an axis, zip or "
         "list"},
        {FIT("list = ( { constant = { at = 3; }; } );"),
         "a.cfg:3: fit.constant.at: has no effect: it exists only where method=constant|zero"},
        {FIT("exclude = ( { repeat = 0; } );"), "a.cfg:2: fit: exclude leaves no point"},
        {FIT("exclude = ( { repat = 0; } );"),
         "a.cfg:3: fit.repat: unknown key (did you mean fit.repeat?)"},
        {FIT("exclude = { repeat = 0; };"),
         "a.cfg:3: fit.exclude.repeat: unknown key (known in a stage fit: " KEYS ")"},
        {FIT("constant = { at = 3; };"),
         "a.cfg:3: fit.constant.at: has no effect: it exists only where method=constant|zero"},
        {"source = {\n nonzero = 3; };\n" FIT(""),
         "a.cfg:2: source.nonzero: has no effect: it exists only where "
         "source.problem=sparse_linear"},
        {"stages = (\n{ stage = \"fit\"; } );",
         "a.cfg:2: fit.points: missing, and it has no "
         "default: give an integer (see taskvec help fit.points)"},
        {FIT("method = [\"ltv\", \"zero\"];"),
         "a.cfg:2: fit.weights: missing, and it has no "
         "default: give a number (see taskvec help fit.weights)"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sample_refuse(all[i].text, all[i].message);
}

static void too_many_points_are_refused(void **state) {
    (void)state;
    struct text text = {0};
    text_add(&text, "stages = ( { stage = \"fit\"; points = [1");
    for (int i = 2; i <= 1100; i++) text_add(&text, ",%d", i);
    text_add(&text, "]; repeat = [0");
    for (int i = 1; i < 1000; i++) text_add(&text, ",%d", i);
    text_add(&text, "]; } );");
    sample_refuse(text_str(&text), "a.cfg:1: fit: more than 1000000 points");
    text_release(&text);
}

/* 400 x 125 x 2 points of 14 keys. The limit is wide: machines and sanitizers differ. */
static void a_hundred_thousand_points_are_quick(void **state) {
    (void)state;
    struct text text = {0};
    struct timespec begin, end;
    text_add(&text, "stages = ( { stage = \"fit\"; method = [\"ltv\", \"constant\"]; points = [1");
    for (int i = 2; i <= 400; i++) text_add(&text, ",%d", i);
    text_add(&text, "]; repeat = [0");
    for (int i = 1; i < 125; i++) text_add(&text, ",%d", i);
    text_add(&text, "]; } );");
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    struct config *c = sample_open(text_str(&text));
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    const double seconds =
        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    if (getenv("TASKVEC_TEST_TIMES")) fprintf(stderr, "100,000 points: %.3f s\n", seconds);
    assert_int_equal(config_stage_points(c, 0), 100000);
    const struct config_point *last = config_stage_point(c, 0, 99999);
    assert_string_equal(config_text(last, "method"), "constant");
    assert_int_equal(config_int(last, "points"), 400);
    assert_int_equal(config_int(last, "repeat"), 124);
    assert_true(seconds < 5);
    config_close(c);
    text_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_multiply_the_last_fastest),
        cmocka_unit_test(keys_with_a_condition_multiply_only_where_they_exist),
        cmocka_unit_test(a_condition_may_come_before_what_it_asks),
        cmocka_unit_test(zipped_keys_advance_together),
        cmocka_unit_test(a_list_gives_combinations_times_the_other_axes),
        cmocka_unit_test(excluded_points_are_dropped),
        cmocka_unit_test(axes_are_checked),
        cmocka_unit_test(too_many_points_are_refused),
        cmocka_unit_test(a_hundred_thousand_points_are_quick),
    };
    return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
