/* Points as text and back, and the whole config as a file again. */
#include <locale.h>

#include "config/sample.h"

static const char WHOLE[] =
    "name = \"whole\"; seed = 9007199254740992;\n"
    "source = { problem = [\"linear\", \"sparse_linear\"]; dims = 5; };\n"
    "model = { checkpoint = \"m.st\"; };\n"
    "stages = (\n"
    "  { stage = \"fit\"; method = [\"ltv\", \"constant\"]; points = [16, 0x1a, 41];\n"
    "    repeat = [0, 1]; zip = ( [\"repeat\", \"source.problem\"] );\n"
    "    optimiser = { lr = 0.1; decay = 123456789.123456789; };\n"
    "    exclude = ( { method = \"ltv\"; points = [41, 7]; } );\n"
    "    note = \"tab\\t, line\\n, \\\"quotes\\\", \\\\, \\x07, \xc3\xa9\"; },\n"
    "  { stage = \"fit\"; name = \"second\"; of = [\"fit\", \"show\"]; source = { problem = "
    "\"linear\"; };\n"
    "    weights = [1, 2.5, 1e-300]; also = [\"zero\"]; optimiser = { lr = 1; };\n"
    "    list = ( { points = 1; method = \"zero\"; }, { points = 2; repeat = 3; } ); },\n"
    "  { stage = \"show\"; share = 5e-324; big = -9007199254740992; }\n"
    ");\n";

static void what_is_printed_opens_to_the_same(void **state) {
    (void)state;
    struct config *c = sample_open(WHOLE);
    struct text first = {0}, second = {0};
    config_print(&first, c);
    assert_int_equal(text_check(&first, NULL), ERR_OK);
    struct config *again = sample_open(text_str(&first));
    config_print(&second, again);
    assert_string_equal(text_str(&second), text_str(&first));
    assert_string_equal(config_name(again), "whole");
    assert_true(config_seed(again) == UINT64_C(9007199254740992));
    assert_int_equal(config_stage_count(again), 3);
    for (size_t s = 0; s < 3; s++) {
        assert_int_equal(config_stage_points(again, s), config_stage_points(c, s));
        for (size_t i = 0; i < config_stage_points(c, s); i++) {
            text_clear(&first);
            text_clear(&second);
            config_point_identity(&first, config_stage_point(c, s, i));
            config_point_identity(&second, config_stage_point(again, s, i));
            assert_string_equal(text_str(&second), text_str(&first));
        }
    }
    config_close(c);
    config_close(again);
    text_release(&first);
    text_release(&second);
}

static void a_point_survives_being_written(void **state) {
    (void)state;
    struct config *c = sample_open(WHOLE);
    struct text first = {0}, second = {0};
    struct err err = {.msg = ""};
    for (size_t s = 0; s < 3; s++) {
        struct config_point *p = NULL;
        text_clear(&first);
        text_clear(&second);
        config_point_write(&first, config_stage_point(c, s, 0));
        assert_int_equal(config_point_read(&p, text_str(&first), &err), ERR_OK);
        config_point_write(&second, p);
        assert_string_equal(text_str(&second), text_str(&first));
        text_clear(&first);
        text_clear(&second);
        config_point_identity(&first, config_stage_point(c, s, 0));
        config_point_identity(&second, p);
        assert_string_equal(text_str(&second), text_str(&first));
        config_point_destroy(p);
    }
    config_close(c);
    text_release(&first);
    text_release(&second);
}

static void a_read_point_answers_like_the_first(void **state) {
    (void)state;
    struct config *c = sample_open(WHOLE);
    struct config_point *p = NULL;
    struct text text = {0};
    struct err err;
    config_point_write(&text, config_stage_point(c, 1, 0));
    assert_int_equal(config_point_read(&p, text_str(&text), &err), ERR_OK);
    assert_int_equal(config_int(p, "points"), 1);
    assert_string_equal(config_text(p, "method"), "zero");
    assert_int_equal(config_list_size(p, "weights"), 3);
    assert_true(config_list_float(p, "weights", 1) == 2.5);
    assert_true(config_list_float(p, "weights", 2) == 1e-300);
    assert_string_equal(config_list_text(p, "also", 0), "zero");
    assert_false(config_bool(p, "verbose"));
    assert_false(config_has(p, "ltv.reading"));
    assert_false(config_has(p, "note"));
    assert_false(config_has(p, "no.such.key"));
    assert_int_equal(config_error(&err, p, "points", "%d is bad", 1), ERR_CONFIG);
    assert_string_equal(err.msg, "a.cfg:12: second.points: 1 is bad");
    (void)config_error(&err, config_stage_point(c, 1, 0), "points", "%d is bad", 1);
    assert_string_equal(err.msg, "a.cfg:12: second.points: 1 is bad");
    assert_int_equal(config_stage_error(&err, c, 1, "of", "%d is bad", 1), ERR_CONFIG);
    assert_string_equal(err.msg, "a.cfg:10: second.of: 1 is bad");
    (void)config_stage_error(&err, c, 1, NULL, "%d is bad", 1);
    assert_string_equal(err.msg, "a.cfg:10: second: 1 is bad");
    config_point_destroy(p);
    text_clear(&text);
    config_point_write(&text, config_stage_point(c, 0, 0));
    assert_int_equal(config_point_read(&p, text_str(&text), &err), ERR_OK);
    assert_string_equal(config_text(p, "note"), "tab\t, line\n, \"quotes\", \\, \a, \xc3\xa9");
    assert_true(config_float(p, "optimiser.decay") == 123456789.123456789);
    config_point_destroy(p);
    config_close(c);
    text_release(&text);
}

static void identity_leaves_out_what_cannot_matter(void **state) {
    (void)state;
    struct config *c = sample_open("stages = ( { stage = \"fit\"; points = 3; verbose = true;\n"
                                   "model = { checkpoint = \"m.st\"; }; } );");
    struct text text = {0};
    config_point_identity(&text, config_stage_point(c, 0, 0));
    assert_string_equal(text_str(&text), "method n \"ltv\"\npoints i 3\nrepeat i 0\nbatch i 256\n"
                                         "optimiser.lr f 0x1.47ae147ae147bp-7\n"
                                         "optimiser.decay f 0x0p+0\nltv.reading n \"heads\"\n"
                                         "also nL 0\nsource.problem n \"linear\"\n"
                                         "source.dims i 5\n");
    config_close(c);
    text_release(&text);
}

static void broken_points_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } all[] = {
        {"points i 3", "a point as text, line 1: a line without a newline at \"points i 3\""},
        {"points\n", "a point as text, line 1: expected NAME TYPE at \"\n\""},
        {"points q 3\n", "a point as text, line 1: unknown type at \"q 3\n\""},
        {"points iX 3\n", "a point as text, line 1: unknown mark of a type at \"X 3\n\""},
        {"a i 1\npoints i x\n", "a point as text, line 2: expected an integer at \"x\n\""},
        {"points i 3 4\n", "a point as text, line 1: expected the end of the line at \" 4\n\""},
        {"note s \"a\n", "a point as text, line 1: a malformed string at \"\"a\n\""},
        {"also nL 9 \"a\"\n",
         "a point as text, line 1: a list longer than its line at \" \"a\"\n\""},
        {"also nL 2 \"a\"\n", "a point as text, line 1: expected a space at \"\n\""},
        {"lr f x\n", "a point as text, line 1: expected a number at \"x\n\""},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct config_point *p = NULL;
        struct err err = {.msg = "read without an error"};
        const enum err_code rc = config_point_read(&p, all[i].text, &err);
        assert_string_equal(err.msg, all[i].message);
        assert_int_equal(rc, ERR_DATA);
        assert_null(p);
    }
}

static void numbers_print_short_and_exact(void **state) {
    (void)state;
    static const char *const shares[] = {"0.1",
                                         "1.0",
                                         "1e+22",
                                         "1e-05",
                                         "0.30000000000000004",
                                         "4.94065645841247e-324",
                                         "1.7976931348623157e+308",
                                         "-0.25",
                                         "0.0"};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        char text[128];
        struct text value = {0};
        (void)snprintf(text, sizeof text, "stages = ( { stage = \"show\"; share = %s; } );",
                       shares[i]);
        struct config *c = sample_open(text);
        config_point_value(&value, config_stage_point(c, 0, 0), 2);
        assert_string_equal(text_str(&value), shares[i]);
        text_release(&value);
        config_close(c);
    }
}

/* With a locale whose decimal point is a comma, where this machine has one. */
static void the_locale_does_not_matter(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
                                        "fr_FR.utf8",  "de_DE",      "fr_FR"};
    const char *set = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !set; i++)
        set = setlocale(LC_ALL, names[i]);
    if (!set) skip();
    numbers_print_short_and_exact(state);
    what_is_printed_opens_to_the_same(state);
    a_point_survives_being_written(state);
    (void)setlocale(LC_ALL, "C");
}

static void assert_facts(const char *key, const char *want) {
    struct text text = {0};
    size_t i = 0;
    while (strcmp(sample_fit.rows[i]->name, key) != 0) i++;
    config_key_facts(&text, sample_fit.rows[i]);
    assert_string_equal(text_str(&text), want);
    text_release(&text);
}

static void help_has_the_facts_of_a_key(void **state) {
    (void)state;
    assert_facts("points",
                 "integer, 1 .. 1000000; required; axis: several values give one job each");
    assert_facts("ltv.reading", "one of heads, blocks; default heads; axis: several values give "
                                "one job each; exists where method=ltv");
    assert_facts("batch", "integer, 1 .. 4096 [prompts]; default 256; not an axis");
    assert_facts("note", "string; optional; not an axis");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_opens_to_the_same),
        cmocka_unit_test(a_point_survives_being_written),
        cmocka_unit_test(a_read_point_answers_like_the_first),
        cmocka_unit_test(identity_leaves_out_what_cannot_matter),
        cmocka_unit_test(broken_points_are_refused),
        cmocka_unit_test(numbers_print_short_and_exact),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(help_has_the_facts_of_a_key),
    };
    return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
