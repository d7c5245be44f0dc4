/* base = "FILE" and -s: who wins, where each key says it stands, and what cannot be. */
#include <sys/stat.h>

#include "config/sample.h"

static const char BASE[] =
    "seed = 7;\nsource = { dims = 9; };\nmodel = { checkpoint = \"m.st\"; };\n"
    "stages = ( { stage = \"fit\"; points = 16; repeat = [0, 1];\n"
    "    optimiser = { lr = 0.5; decay = 0.25; }; },\n"
    "  { stage = \"show\"; points = 3; } );\n";

static void assert_where(const struct config *c, size_t stage, const char *key, const char *want) {
    struct err err;
    char expected[320];
    (void)snprintf(expected, sizeof expected, "%s: bad", want);
    assert_int_equal(config_error(&err, config_stage_point(c, stage, 0), key, "bad"), ERR_CONFIG);
    assert_string_equal(err.msg, expected);
}

static void the_later_file_wins_key_by_key(void **state) {
    (void)state;
    assert_int_equal(mkdir("below", 0777), 0);
    sample_write("below/base.cfg", BASE);
    struct config *c =
        sample_open("base = \"below/base.cfg\";\nname = \"mine\";\n"
                    "stages = (\n  { stage = \"fit\"; optimiser = { lr = 0.125; }; repeat = 4; },\n"
                    "  { stage = \"show\"; name = \"more\"; of = \"fit\"; } );\n");
    const struct config_point *p = config_stage_point(c, 0, 0);
    assert_string_equal(config_name(c), "mine");
    assert_int_equal(config_seed(c), 7);
    assert_int_equal(config_stage_count(c), 3);
    assert_string_equal(config_stage_name(c, 2), "more");
    assert_string_equal(config_stage_kind(c, 2), "show");
    assert_string_equal(config_stage_of(c, 2, 0), "fit");
    assert_int_equal(config_stage_points(c, 0), 1);
    assert_true(config_float(p, "optimiser.lr") == 0.125);
    assert_true(config_float(p, "optimiser.decay") == 0.25);
    assert_int_equal(config_int(p, "repeat"), 4);
    assert_int_equal(config_int(p, "points"), 16);
    assert_int_equal(config_int(p, "source.dims"), 9);
    assert_where(c, 0, "optimiser.lr", "a.cfg:4: fit.optimiser.lr");
    assert_where(c, 0, "optimiser.decay", "below/base.cfg:5: fit.optimiser.decay");
    assert_where(c, 0, "source.dims", "below/base.cfg:2: fit.source.dims");
    char want[128];
    (void)snprintf(want, sizeof want, "%s/below/m.st", sample_folder);
    assert_string_equal(config_text(p, "model.checkpoint"), want);
    config_close(c);
}

/* What it was written for went with the points that the later file gives. */
static void an_exclude_of_the_base_may_match_nothing(void **state) {
    (void)state;
    sample_write("b.cfg", "stages = ( { stage = \"fit\"; points = [4, 6]; repeat = [0, 1];\n"
                          "    exclude = ( { points = 4; repeat = 1; } ); } );\n");
    struct config *c =
        sample_open("base = \"b.cfg\";\nstages = ( { stage = \"fit\"; points = 6; } );\n");
    assert_int_equal(config_stage_points(c, 0), 2);
    config_close(c);
}

/* Keys of the file that were written for another method or problem than -s chooses. */
static void keys_of_what_a_set_replaced_are_dropped(void **state) {
    (void)state;
    static const char *const sets[] = {"fit.method=constant", "source.problem=linear"};
    static const char *const idle = "fit.constant.at=3";
    struct config *c =
        sample_open_set("source = { problem = \"sparse_linear\"; nonzero = 2; };\n"
                        "stages = ( { stage = \"fit\"; points = 3; ltv = { reading = "
                        "\"blocks\"; }; } );",
                        sets, 2);
    const struct config_point *p = config_stage_point(c, 0, 0);
    assert_string_equal(config_text(p, "method"), "constant");
    assert_false(config_has(p, "ltv.reading"));
    assert_false(config_has(p, "source.nonzero"));
    config_close(c);
    sample_refuse_set(&idle, 1, ERR_CONFIG,
                      "-s fit.constant.at=3: fit.constant.at: has no effect: it exists only where "
                      "method=constant|zero");
}

static void a_stage_wins_over_the_top_level(void **state) {
    (void)state;
    struct config *c = sample_open("source = { dims = 9; problem = \"sparse_linear\"; };\n"
                                   "stages = ( { stage = \"fit\"; points = 1; source = { dims = 2; "
                                   "}; } );");
    assert_int_equal(config_int(config_stage_point(c, 0, 0), "source.dims"), 2);
    assert_int_equal(config_int(config_stage_point(c, 0, 0), "source.nonzero"), 3);
    config_close(c);
}

static void set_is_typed_by_the_schema(void **state) {
    (void)state;
    static const char *const sets[] = {"seed=3",
                                       "fit.points=[16, 26]",
                                       "fit.optimiser.lr=1",
                                       "source.dims=4",
                                       "fit.method=constant",
                                       "fit.note=true",
                                       "fit.verbose=true",
                                       "fit.also=[zero,\"ltv\"]",
                                       "name=other-name",
                                       "fit.model.checkpoint=./x.st",
                                       "fit.repeat = 2"};
    static const char *const fine[] = {"fit.repeat=2"};
    struct config *c = sample_open_set(BASE, sets, 10);
    const struct config_point *p = config_stage_point(c, 0, 2);
    assert_int_equal(config_seed(c), 3);
    assert_string_equal(config_name(c), "other-name");
    assert_int_equal(config_stage_points(c, 0), 4);
    assert_int_equal(config_int(p, "points"), 26);
    assert_true(config_float(p, "optimiser.lr") == 1.0);
    assert_int_equal(config_int(p, "source.dims"), 4);
    assert_string_equal(config_text(p, "method"), "constant");
    assert_string_equal(config_text(p, "note"), "true");
    assert_true(config_bool(p, "verbose"));
    assert_int_equal(config_list_size(p, "also"), 2);
    assert_string_equal(config_list_text(p, "also", 0), "zero");
    assert_string_equal(config_list_text(p, "also", 1), "ltv");
    assert_where(c, 0, "points", "-s fit.points=[16, 26]: fit.points");
    char want[128];
    (void)snprintf(want, sizeof want, "%s/x.st", sample_folder);
    assert_string_equal(config_text(p, "model.checkpoint"), want);
    config_close(c);
    config_close(sample_open_set(BASE, fine, 1));
    sample_refuse_set(&sets[10], 1, ERR_USAGE,
                      "-s fit.repeat = 2: expected STAGE.KEY=VALUE or KEY=VALUE");
}

static void a_path_of_set_is_seen_from_the_current_folder(void **state) {
    (void)state;
    static const char *const sets[] = {"fit.model.checkpoint=x.st"};
    struct config *c = NULL;
    struct err err;
    char path[128], want[128];
    assert_int_equal(mkdir("deep", 0777), 0);
    sample_write("deep/b.cfg", BASE);
    (void)snprintf(path, sizeof path, "%s/deep/b.cfg", sample_folder);
    assert_int_equal(config_open(&c, path, sets, 1, &SAMPLE, &err), ERR_OK);
    (void)snprintf(want, sizeof want, "%s/x.st", sample_folder);
    assert_string_equal(config_text(config_stage_point(c, 0, 0), "model.checkpoint"), want);
    assert_non_null(strstr(config_path_base(config_stage_point(c, 0, 0), "model.checkpoint"),
                           "the current directory"));
    config_close(c);
    assert_int_equal(config_open(&c, path, NULL, 0, &SAMPLE, &err), ERR_OK);
    (void)snprintf(want, sizeof want, "%s/deep/m.st", sample_folder);
    assert_string_equal(config_text(config_stage_point(c, 0, 0), "model.checkpoint"), want);
    assert_non_null(strstr(config_path_base(config_stage_point(c, 0, 0), "model.checkpoint"),
                           "the file that contains it"));
    config_close(c);
}

/* Its value is refused. */
static void set_refuses(const char *set, const char *message) {
    sample_refuse_set(&set, 1, ERR_CONFIG, message);
}

/* It cannot be read, or names nothing. */
static void set_is_no_set(const char *set, const char *message) {
    sample_refuse_set(&set, 1, ERR_USAGE, message);
}

static void sets_are_checked(void **state) {
    (void)state;
    sample_write("a.cfg", BASE);
    set_refuses("fit.points=x", "-s fit.points=x: fit.points: expected an integer, received x");
    set_refuses("fit.points=", "-s fit.points=: fit.points: expected an integer, received nothing");
    set_refuses("fit.points=0", "-s fit.points=0: fit.points: 0 is out of bounds (1 .. 1000000)");
    set_refuses("fit.points=[]",
                "-s fit.points=[]: fit.points: an empty axis: give one value or more");
    set_is_no_set("fit.points=[1", "-s fit.points=[1: a [ without its ]");
    set_is_no_set("fit.points=[1] 2", "-s fit.points=[1] 2: 2 after the end of the value");
    set_is_no_set("fit.pionts=3",
                  "-s fit.pionts=3: fit.pionts: unknown key (did you mean fit.points?)");
    set_is_no_set("fitt.points=3", "-s fitt.points=3: fitt: no stage and no top-level key (did you "
                                   "mean fit? the stages are: fit, show)");
    set_is_no_set(
        "baselines.points=3",
        "-s baselines.points=3: baselines: no stage and no top-level key (the stages are: fit, "
        "show)");
    set_is_no_set("optimiser.lr=0.1",
                  "-s optimiser.lr=0.1: optimiser: no stage and no top-level key (did you mean "
                  "fit.optimiser.lr? the stages are: fit, show)");
    set_is_no_set("points=3", "-s points=3: points: no stage and no top-level key (did you mean "
                              "fit.points or show.points? the stages are: fit, show)");
    set_is_no_set("fit=3", "-s fit=3: fit: is a group of keys: give fit.KEY=VALUE");
    set_is_no_set("seed.x=3", "-s seed.x=3: seed: has no keys below it: give seed=VALUE");
    set_is_no_set("base=b.cfg", "-s base=b.cfg: base: can only be set in the file, not with -s");
    set_is_no_set("seed", "-s seed: expected STAGE.KEY=VALUE or KEY=VALUE");
    set_is_no_set("fit..x=3", "-s fit..x=3: expected STAGE.KEY=VALUE or KEY=VALUE");
    set_is_no_set("fit.note=\"a", "-s fit.note=\"a: a string without its closing quote");
    set_refuses("fit.optimiser=adam", "-s fit.optimiser=adam: fit.optimiser: expected a group { lr "
                                      "= ...; }, received adam");
    set_refuses("fit.name=show", "a.cfg:6: stages.show: a second stage of this name (the first: "
                                 "a.cfg:4): give one of them name = ...");
}

/* A list without brackets, which a shell would have to quote. */
static void a_set_may_omit_the_brackets(void **state) {
    (void)state;
    static const char *const sets[] = {"fit.points=16,26", "fit.also=zero, ltv"};
    struct config *c = sample_open_set(BASE, sets, 2);
    const struct config_point *p = config_stage_point(c, 0, 2);
    assert_int_equal(config_stage_points(c, 0), 4);
    assert_int_equal(config_int(p, "points"), 26);
    assert_int_equal(config_list_size(p, "also"), 2);
    assert_string_equal(config_list_text(p, "also", 1), "ltv");
    config_close(c);
    set_refuses("seed=3,4", "-s seed=3,4: seed: expected an integer, received 3,4 (this key is not "
                            "an axis)");
    set_is_no_set("fit.points=16,", "-s fit.points=16,: a comma before ]: remove it");
}

static void bases_are_checked(void **state) {
    (void)state;
    sample_refuse("\nbase = \"none.cfg\";", "a.cfg:2: base: none.cfg: no such file");
    sample_refuse("base = 3;", "a.cfg:1: base: expected the path of a config, received 3");
    sample_refuse("base = \"a.cfg\";",
                  "a.cfg:1: base: a cycle: a.cfg is one of the files that lead here");
    sample_write("c1.cfg", "base = \"a.cfg\";");
    sample_refuse("base = \"c1.cfg\";",
                  "c1.cfg:1: base: a cycle: a.cfg is one of the files that lead here");
    sample_write("broken.cfg", "\n\nseed = ;");
    sample_refuse("base = \"broken.cfg\";", "broken.cfg:3: expected a value, received ;");
    for (int i = 0; i < 17; i++) {
        char path[32], text[64];
        (void)snprintf(path, sizeof path, "d%d.cfg", i);
        (void)snprintf(text, sizeof text, "base = \"d%d.cfg\";", i + 1);
        sample_write(path, text);
    }
    sample_refuse("base = \"d0.cfg\";", "d14.cfg:1: base: more than 16 files deep");
    sample_write("typo.cfg", BASE);
    sample_refuse("base = \"typo.cfg\";\nstages = ( { stage = \"fit\"; pionts = 1; } );",
                  "a.cfg:2: fit.pionts: unknown key (did you mean fit.points?)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_later_file_wins_key_by_key),
        cmocka_unit_test(an_exclude_of_the_base_may_match_nothing),
        cmocka_unit_test(keys_of_what_a_set_replaced_are_dropped),
        cmocka_unit_test(a_stage_wins_over_the_top_level),
        cmocka_unit_test(set_is_typed_by_the_schema),
        cmocka_unit_test(a_path_of_set_is_seen_from_the_current_folder),
        cmocka_unit_test(sets_are_checked),
        cmocka_unit_test(a_set_may_omit_the_brackets),
        cmocka_unit_test(bases_are_checked),
    };
    return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
