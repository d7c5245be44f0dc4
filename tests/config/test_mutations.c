/* A good config, broken in thousands of seeded ways: each opens and prints back, or is refused with
 * one line. Under the sanitizers this is the hunt for reads past the end and for leaks. */
#include <ctype.h>

#include "config/sample.h"

static const char SEED_TEXT[] =
    "name = \"whole\"; seed = 12; // note\n"
    "source = { problem = [\"linear\", \"sparse_linear\"]; dims = 5; };\n"
    "stages = (\n"
    "  { stage = \"fit\"; method = [\"ltv\", \"constant\"]; points = [16, 0x1a, 41];\n"
    "    repeat = [0, 1]; zip = ( [\"repeat\", \"source.problem\"] );\n"
    "    optimiser = { lr = 0.1; decay = 1.5e3; }; /* c */\n"
    "    exclude = ( { method = \"ltv\"; points = [41, 7]; } ); note = \"t\\t\\x07\"; },\n"
    "  { stage = \"fit\"; name = \"second\"; of = [\"fit\"]; source = { problem = \"linear\"; };\n"
    "    list = ( { points = 1; method = \"ltv\"; }, { points = 2; repeat = 3; } ); }\n"
    ");\n";

static const char *const PIECES[] = {"{",
                                     "}",
                                     "(",
                                     ")",
                                     "[",
                                     "]",
                                     ";",
                                     ",",
                                     "=",
                                     "\"",
                                     "\\",
                                     "/*",
                                     "@",
                                     "9e99",
                                     "0x",
                                     "-",
                                     "true",
                                     "#",
                                     "\n",
                                     ".",
                                     "\xff",
                                     "points",
                                     "stage",
                                     "fit",
                                     "99999999999999999999",
                                     "list = ( { } );",
                                     "base = \"a.cfg\";",
                                     "zip = [];"};
enum { N_PIECES = sizeof PIECES / sizeof *PIECES, ROUNDS = 1200 };

static uint64_t next(uint64_t *state) { /* splitmix64: the same mutations everywhere */
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Cuts a stretch out and puts a piece, or another stretch of the text, in its place. */
static void mutate(struct text *out, const struct text *in, uint64_t *random) {
    const size_t at = (size_t)(next(random) % (in->size + 1));
    size_t cut = (size_t)(next(random) % 12);
    if (cut > in->size - at) cut = in->size - at;
    text_bytes(out, in->data, at);
    if (next(random) % 3 > 0) {
        text_add(out, "%s", PIECES[next(random) % N_PIECES]);
    } else if (in->size > 0) {
        const size_t from = (size_t)(next(random) % in->size);
        size_t n = (size_t)(next(random) % 40);
        if (n > in->size - from) n = in->size - from;
        text_bytes(out, in->data + from, n);
    }
    text_bytes(out, in->data + at + cut, in->size - at - cut);
}

static void round_trip(const struct config *c) {
    struct text first = {0}, second = {0};
    config_print(&first, c);
    assert_int_equal(text_check(&first, NULL), ERR_OK);
    struct config *again = sample_open(text_str(&first));
    config_print(&second, again);
    assert_string_equal(text_str(&second), text_str(&first));
    assert_int_equal(config_stage_count(again), config_stage_count(c));
    for (size_t s = 0; s < config_stage_count(c); s++)
        assert_int_equal(config_stage_points(again, s), config_stage_points(c, s));
    config_close(again);
    text_release(&first);
    text_release(&second);
}

static void every_mutation_opens_or_is_refused(void **state) {
    (void)state;
    uint64_t random = 1;
    size_t opened = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct text text = {0}, changed = {0};
        struct config *c = NULL;
        struct err err = {.msg = ""};
        text_add(&text, "%s", SEED_TEXT);
        for (uint64_t i = 0; i < 1 + (uint64_t)round % 4; i++) {
            text_clear(&changed);
            mutate(&changed, &text, &random);
            text_clear(&text);
            text_bytes(&text, changed.data, changed.size);
        }
        sample_bytes("a.cfg", text.data, text.size);
        const enum err_code rc = config_open(&c, "a.cfg", NULL, 0, &SAMPLE, &err);
        if (rc == ERR_OK) {
            opened++;
            round_trip(c);
            config_close(c);
        } else if (rc != ERR_CONFIG || strncmp(err.msg, "a.cfg", 5) != 0 || strchr(err.msg, '\n')) {
            fail_msg("round %d: code %d: %s", round, (int)rc, err.msg);
        }
        text_release(&text);
        text_release(&changed);
    }
    assert_true(opened > 0 && opened < ROUNDS);
}

static void every_mutated_set_opens_or_is_refused(void **state) {
    (void)state;
    static const char *const sets[] = {"fit.points=[16, 26]", "fit.note=\"a b\"", "source.dims=3",
                                       "second.optimiser.lr=1e-3"};
    uint64_t random = 2;
    sample_write("b.cfg", SEED_TEXT);
    for (int round = 0; round < ROUNDS; round++) {
        struct text text = {0}, changed = {0};
        struct config *c = NULL;
        struct err err = {.msg = ""};
        text_add(&text, "%s", sets[round % 4]);
        mutate(&changed, &text, &random);
        const char *set = text_str(&changed);
        const enum err_code rc = config_open(&c, "b.cfg", &set, 1, &SAMPLE, &err);
        if (rc == ERR_OK) {
            round_trip(c);
            config_close(c);
        } else if ((rc != ERR_CONFIG && rc != ERR_USAGE) || *err.msg == '\0') {
            fail_msg("round %d: code %d: %s", round, (int)rc, err.msg);
        }
        text_release(&text);
        text_release(&changed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mutation_opens_or_is_refused),
        cmocka_unit_test(every_mutated_set_opens_or_is_refused),
    };
    return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
