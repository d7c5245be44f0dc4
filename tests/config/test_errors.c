/* Every kind of mistake in a config: one line, with its place, what was received and what to do. */
#include "config/sample.h"

#define FIT(keys) "stages = (\n  { stage = \"fit\"; points = 16;\n" keys "\n  }\n);\n"
#define SHOW(keys) "stages = ( { stage = \"show\";\n" keys "\n} );\n"

struct mistake {
    const char *text, *message;
};

static void refuse_all(const struct mistake *m, size_t n) {
    for (size_t i = 0; i < n; i++) sample_refuse(m[i].text, m[i].message);
}

static void keys_are_known(void **state) {
    (void)state;
    static const struct mistake all[] = {
        {FIT("pionts = 3;"), "a.cfg:3: fit.pionts: unknown key (did you mean fit.points?)"},
        {FIT("lr = 3;"), "a.cfg:3: fit.lr: unknown key (did you mean fit.optimiser.lr?)"},
        {FIT("optimizer = { lr = 0.1; };"),
         "a.cfg:3: fit.optimizer.lr: unknown key (did you mean fit.optimiser.lr?)"},
        {FIT("exclud = ( );"), "a.cfg:3: fit.exclud: unknown key (did you mean fit.exclude?)"},
        {FIT("colour_of_the_bikeshed = 1;"),
         "a.cfg:3: fit.colour_of_the_bikeshed: unknown key (known in a stage fit: " KEYS ")"},
        {"seeed = 1;\n" FIT(""), "a.cfg:1: seeed: unknown key (did you mean seed?)"},
        {"colour = 1;\n" FIT(""), "a.cfg:1: colour: unknown key: the top level has name, seed, "
                                  "gemm, base, stages, model, source"},
        {"source = {\n dimms = 3; };\n" FIT(""),
         "a.cfg:2: source.dimms: unknown key (did you mean source.dims?)"},
        {"model = { layers_and_more_of_them = 3; };\n" FIT(""),
         "a.cfg:1: model.layers_and_more_of_them: no stage here has this key"},
        {FIT("optimiser = { lr = { x = 1; }; };"),
         "a.cfg:3: fit.optimiser.lr: expected a number, received a group { }"},
        {FIT("optimiser = \"adam\";"),
         "a.cfg:3: fit.optimiser: expected a group { lr = ...; }, received \"adam\""},
        {"model = 3;\n" FIT(""), "a.cfg:1: model: expected a group { }, received 3"},
        {FIT("batch = 2;\nbatch = 3;"), "a.cfg:4: batch: set twice, first on line 3"},
        {"seed = 1; seed = 2;\n" FIT(""), "a.cfg:1: seed: set twice, first on line 1"},
    };
    refuse_all(all, sizeof all / sizeof *all);
}

static void values_have_their_type(void **state) {
    (void)state;
    static const struct mistake all[] = {
        {FIT("batch = \"many\";"), "a.cfg:3: fit.batch: expected an integer, received \"many\""},
        {FIT("batch = 2.0;"), "a.cfg:3: fit.batch: expected an integer, received 2.0"},
        {FIT("batch = 1e2;"), "a.cfg:3: fit.batch: expected an integer, received 1e2"},
        {FIT("batch = true;"), "a.cfg:3: fit.batch: expected an integer, received true"},
        {FIT("batch = [1, 2];"),
         "a.cfg:3: fit.batch: expected an integer, received an array [ ] of 2 (this key is not an "
         "axis)"},
        {FIT("optimiser = { lr = \"0.1\"; };"),
         "a.cfg:3: fit.optimiser.lr: expected a number, received \"0.1\""},
        {FIT("verbose = 1;"), "a.cfg:3: fit.verbose: expected true or false, received 1"},
        {FIT("note = 5;"), "a.cfg:3: fit.note: expected a string, received 5"},
        {FIT("method = 5;"), "a.cfg:3: fit.method: expected a name, received 5"},
        {FIT("method = \"ltvv\";"),
         "a.cfg:3: fit.method: unknown value \"ltvv\" (did you mean ltv? "
         "known: ltv, constant, zero)"},
        {FIT("method = \"perceptron\";"),
         "a.cfg:3: fit.method: unknown value \"perceptron\" (known: ltv, constant, zero)"},
        {FIT("also = [\"ltv\",\n\"zeroo\"];"),
         "a.cfg:4: fit.also: unknown value \"zeroo\" (did you mean zero? known: ltv, constant, "
         "zero)"},
        {FIT("method = \"a\\nb\";"),
         "a.cfg:3: fit.method: unknown value \"a?b\" (known: ltv, constant, zero)"},
        {"seed = 0.5;\n" FIT(""), "a.cfg:1: seed: expected an integer, received 0.5"},
        {"name = 3;\n" FIT(""), "a.cfg:1: name: expected a string, received 3"},
    };
    refuse_all(all, sizeof all / sizeof *all);
}

static void values_are_in_bounds(void **state) {
    (void)state;
    static const struct mistake all[] = {
        {FIT("batch = 0;"), "a.cfg:3: fit.batch: 0 is out of bounds (1 .. 4096)"},
        {FIT("batch = 4097;"), "a.cfg:3: fit.batch: 4097 is out of bounds (1 .. 4096)"},
        {FIT("repeat = [0, -1];"), "a.cfg:3: fit.repeat: -1 is out of bounds (0 .. 1000000)"},
        {FIT("optimiser = { lr = 1.5; };"),
         "a.cfg:3: fit.optimiser.lr: 1.5 is out of bounds (0.0 .. 1.0)"},
        {"seed = -1;\n" FIT(""), "a.cfg:1: seed: -1 is out of bounds (0 .. 9007199254740992)"},
    };
    refuse_all(all, sizeof all / sizeof *all);
}

static void numbers_fit(void **state) {
    (void)state;
    static const char does_not[] = "%s: %s does not fit: integers go from -2^53 to 2^53";
    static const char *const large[] = {"9007199254740993", "-9007199254740993",
                                        "99999999999999999999", "0x20000000000001",
                                        "18446744073709551616L"};
    char text[256], message[256];
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        (void)snprintf(text, sizeof text, SHOW("big = %s;"), large[i]);
        (void)snprintf(message, sizeof message, does_not, "a.cfg:2: show.big", large[i]);
        sample_refuse(text, message);
    }
    static const struct mistake all[] = {
        {"seed = 9007199254740993;\n" FIT(""),
         "a.cfg:1: seed: 9007199254740993 does not fit: integers go from -2^53 to 2^53"},
        {SHOW("share = 1e400;"), "a.cfg:2: show.share: 1e400 does not fit a double (largest "
                                 "1.8e308, least 4.9e-324)"},
        {SHOW("share = 1e-400;"), "a.cfg:2: show.share: 1e-400 does not fit a double (largest "
                                  "1.8e308, least 4.9e-324)"},
        {SHOW("big = 12abc;"), "a.cfg:2: 12abc is not a number (a string needs quotes)"},
        {SHOW("big = 0x;"), "a.cfg:2: 0x is not a number (a string needs quotes)"},
        {SHOW("share = 1.2.3;"), "a.cfg:2: 1.2.3 is not a number (a string needs quotes)"},
        {SHOW("share = 1e;"), "a.cfg:2: 1e is not a number (a string needs quotes)"},
        {SHOW("share = inf;"),
         "a.cfg:2: expected a value, received inf (a string needs quotes: \"inf\")"},
    };
    refuse_all(all, sizeof all / sizeof *all);
}

static void integers_at_the_edges_arrive_exact(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } edges[] = {{"2147483647", 2147483647},
                 {"2147483648", INT64_C(2147483648)},
                 {"-2147483649", -INT64_C(2147483649)},
                 {"0xdeadbeef", INT64_C(0xdeadbeef)},
                 {"0xDEADBEEFL", INT64_C(0xdeadbeef)},
                 {"1099511627776", INT64_C(1099511627776)},
                 {"1099511627776L", INT64_C(1099511627776)},
                 {"9007199254740992", INT64_C(9007199254740992)},
                 {"-9007199254740992", -INT64_C(9007199254740992)},
                 {"+7", 7},
                 {"010", 10},
                 {"-0", 0}};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, SHOW("big = %s;"), edges[i].text);
        struct config *c = sample_open(text);
        assert_true(config_int(config_stage_point(c, 0, 0), "big") == edges[i].value);
        config_close(c);
    }
}

static void syntax_has_hints(void **state) {
    (void)state;
    static const struct mistake all[] = {
        {"stages = (\n { stage = \"fit\"; repeat = [1, 2,]; } );",
         "a.cfg:2: a comma before ]: libconfig takes no trailing comma"},
        {FIT("model.checkpoint = 1;"),
         "a.cfg:3: model: the name of a key has no dot: write model = { ... }"},
        {FIT("method = ltv;"),
         "a.cfg:3: expected a value, received ltv (a string needs quotes: \"ltv\")"},
        {FIT("also = [\"ltv\" \"zero\"];"),
         "a.cfg:3: two values in a row at zero: a comma is missing (adjacent strings are not "
         "joined: write them as one)"},
        {FIT("batch 3;"), "a.cfg:3: batch: expected = after the name of a key"},
        {FIT("batch = ;"), "a.cfg:3: expected a value, received ;"},
        {FIT("3 = 4;"), "a.cfg:3: expected the name of a key, received 3"},
        {FIT("note = \"open;"), "a.cfg:3: a string without its closing quote"},
        {FIT("note = \"a\\qb\";"),
         "a.cfg:3: unknown escape in a string (known: \\n \\r \\t \\f \\\" "
         "\\\\ and \\x01 to \\xff)"},
        {FIT("note = \"a\\x00b\";"), "a.cfg:3: unknown escape in a string (known: \\n \\r \\t \\f "
                                     "\\\" \\\\ and \\x01 to \\xff)"},
        {FIT("/* never closed"), "a.cfg:3: a comment without its closing */"},
        {FIT("repeat = [1, 2;"), "a.cfg:3: expected , or the end of the [ of line 3, received ;"},
        {FIT("repeat = (1, 2];"), "a.cfg:3: ] does not close the ( of line 3"},
        {"name = \"x\"; }\n", "a.cfg:1: } without an opening bracket"},
        {"stages = (\n\n{ stage = \"fit\";\n", "a.cfg:3: the { opened here is never closed"},
        {FIT("repeat = [true, 2];"),
         "a.cfg:3: mismatched element type in array: an array [ ] holds values of one kind; a list "
         "( ) may mix"},
        {FIT("@include \"b.cfg\""),
         "a.cfg:3: @include is not supported: use base = \"FILE\" at the top level"},
        {FIT("batch = $3;"), "a.cfg:3: unexpected character $"},
        {"\xef\xbb\xbfseed = 1;",
         "a.cfg:1: begins with a byte-order mark (ef bb bf): save it as UTF-8 without one"},
        {"zip = ( 1, , 2 );",
         "a.cfg:1: syntax error: expected KEY = VALUE; with VALUE one of 1, 0.5, true, "
         "\"text\", [ ... ], ( ... ), { ... }"},
        {"seed = = 1;", "a.cfg:1: expected a value, received ="},
    };
    refuse_all(all, sizeof all / sizeof *all);
}

static void files_are_of_a_sane_size_and_depth(void **state) {
    (void)state;
    enum { LARGE = 256 * 1024 };
    char *text = malloc(LARGE + 2);
    assert_non_null(text);
    memset(text, ' ', LARGE + 1);
    sample_bytes("a.cfg", text, LARGE + 1);
    sample_refuse_set(NULL, 0, ERR_CONFIG,
                      "a.cfg: larger than 262144 bytes, the most accepted here");
    static const char deep[] = "stages = ";
    memcpy(text, deep, sizeof deep - 1);
    memset(text + sizeof deep - 1, '(', 100000);
    sample_bytes("a.cfg", text, 100000);
    sample_refuse_set(NULL, 0, ERR_CONFIG, "a.cfg:1: brackets nested deeper than 32");
    sample_bytes("a.cfg", "seed = 1;\0 seed = 2;", 20);
    sample_refuse_set(NULL, 0, ERR_CONFIG, "a.cfg: contains a NUL byte: is this a config?");
    free(text);
}

static void stages_are_known_and_linked(void **state) {
    (void)state;
    static const struct mistake all[] = {
        {"seed = 1;", "a.cfg:1: stages: missing or empty: write stages = ( { stage = \"KIND\"; ... "
                      "} )"},
        {"stages = ();",
         "a.cfg:1: stages: missing or empty: write stages = ( { stage = \"KIND\"; ... } )"},
        {"stages = { stage = \"fit\"; };",
         "a.cfg:1: stages: expected a list ( { stage = ... }, ... ), received a group { }"},
        {"stages = ( 3 );", "a.cfg:1: stages: expected a group { stage = KIND; ... }, received 3"},
        {"stages = (\n{ points = 3; } );",
         "a.cfg:2: stages: an entry without a kind: write stage = \"KIND\""},
        {"stages = (\n{ name = \"x\"; } );", "a.cfg:2: stages.x: no kind: write stage = \"KIND\""},
        {"stages = (\n{ stage = 3; } );", "a.cfg:2: stages.stage: expected a string, received 3"},
        {"stages = (\n{ stage = \"shw\"; } );",
         "a.cfg:2: stages.stage: unknown kind \"shw\" (did you mean show? known: fit, show)"},
        {"stages = (\n{ stage = \"perceptron\"; } );",
         "a.cfg:2: stages.stage: unknown kind \"perceptron\" (known: fit, show)"},
        {"stages = ( { stage = \"show\"; },\n{ stage = \"show\"; } );",
         "a.cfg:2: stages.show: a second stage of this name (the first: a.cfg:1): give one of "
         "them name = ..."},
        {"stages = ( { stage = \"show\"; name = \"a/b\"; } );",
         "a.cfg:1: stages.a/b: the name of a stage is a letter, then letters, digits, _ or -, at "
         "most 64"},
        {"stages = ( { stage = \"show\"; name = \"model\"; } );",
         "a.cfg:1: stages.model: reserved for the top level: choose another name"},
        {"name = \"../up\";\n" SHOW(""),
         "a.cfg:1: name: \"../up\" cannot be the name of a folder: use letters, digits, _ . -, not "
         ". or - first, at most 128"},
        {SHOW("of = \"shwo\";"),
         "a.cfg:2: show.of: no stage is named \"shwo\" (did you mean show?)"},
        {SHOW("of = \"show\";"),
         "a.cfg:2: show.of: a cycle: this stage would wait for itself; name another stage"},
        {SHOW("of = [];"), "a.cfg:2: show.of: empty: give the name of a stage"},
        {SHOW("of = 3;"), "a.cfg:2: show.of: expected the name of a stage, received 3"},
        {"stages = ( { stage = \"show\"; name = \"a\"; of = \"b\"; },\n"
         "{ stage = \"show\"; name = \"b\"; of = [\"c\", \"a\"]; },\n"
         "{ stage = \"show\"; name = \"c\"; } );",
         "a.cfg:1: a.of: a cycle: this stage would wait for itself; name another stage"},
        {"stages = ( { stage = \"show\"; name = \"a\"; of = [\"c\", \"c\"]; },\n"
         "{ stage = \"show\"; name = \"c\"; } );",
         "a.cfg:1: a.of: c is named twice"},
    };
    refuse_all(all, sizeof all / sizeof *all);
}

static void a_missing_file_is_named(void **state) {
    (void)state;
    struct config *c = NULL;
    struct err err = {.msg = ""};
    assert_int_equal(config_open(&c, "none.cfg", NULL, 0, &SAMPLE, &err), ERR_CONFIG);
    assert_string_equal(err.msg, "none.cfg: cannot open: No such file or directory");
    assert_int_equal(config_open(&c, "/", NULL, 0, &SAMPLE, &err), ERR_CONFIG);
    assert_string_equal(err.msg, "/: cannot read: Is a directory");
    assert_null(c);
}

static void rows_are_checked_too(void **state) {
    (void)state;
    struct config_schema s = {0};
    struct err err;
    const struct config_key bad[] = {
        {.name = "a", .type = CONFIG_INT, .min = 1, .max = 3, .def = "4"},
        {.name = "b", .type = CONFIG_NAME},
        {.name = "list", .type = CONFIG_INT},
        {.name = "c", .type = CONFIG_INT, .flags = CONFIG_PATH},
    };
    static const char *const messages[] = {
        "row a: its default \"4\" is no value of it",
        "row b: choices and CONFIG_NAME belong together",
        "a configuration row without a name, or with a reserved one",
        "row c: only a CONFIG_TEXT is a path",
    };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(config_schema_add(&s, &bad[i], 1, &err), ERR_BUG);
        assert_string_equal(err.msg, messages[i]);
    }
    assert_int_equal(config_schema_add(&s, SAMPLE_SHOW, 1, &err), ERR_OK);
    assert_int_equal(config_schema_add(&s, SAMPLE_FIT + 1, 1, &err), ERR_BUG);
    assert_string_equal(err.msg, "row points: two parts of one schema have it");
    config_schema_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_known),
        cmocka_unit_test(values_have_their_type),
        cmocka_unit_test(values_are_in_bounds),
        cmocka_unit_test(numbers_fit),
        cmocka_unit_test(integers_at_the_edges_arrive_exact),
        cmocka_unit_test(syntax_has_hints),
        cmocka_unit_test(files_are_of_a_sane_size_and_depth),
        cmocka_unit_test(stages_are_known_and_linked),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(rows_are_checked_too),
    };
    return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
