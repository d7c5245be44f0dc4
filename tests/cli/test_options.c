#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options.h"

static const struct option_row ROWS[] = {
    {"--output", "-o", "DIR", "where"},
    {"--set", "-s", "KEY=VALUE", "override"},
    {"--json", NULL, NULL, "as JSON"},
};

static enum err_code parse(struct options *o, int n, const char *const *words, struct err *err) {
    char *copies[16];
    assert_true(n <= 16);
    for (int i = 0; i < n; i++) copies[i] = strdup(words[i]);
    const enum err_code rc = options_parse(o, ROWS, 3, "plan", n, copies, err);
    for (int i = 0; i < n; i++) free(copies[i]);
    return rc;
}

static void options_and_arguments_mix(void **state) {
    (void)state;
    char a[] = "a.cfg", o[] = "-o", dir[] = "out", s[] = "--set=seed=3", t[] = "-s",
         u[] = "fit.lr=1", e[] = "--", d[] = "--json";
    char *const words[] = {a, o, dir, s, t, u, e, d};
    struct options x;
    const char *sets[OPTIONS_MAX];
    assert_int_equal(options_parse(&x, ROWS, 3, "plan", 8, words, NULL), ERR_OK);
    assert_int_equal(x.n_args, 2);
    assert_string_equal(x.args[1], "--json");
    assert_false(options_has(&x, "--json"));
    assert_string_equal(options_value(&x, "--output"), "out");
    assert_int_equal(options_values(sets, &x, "--set"), 2);
    assert_string_equal(sets[0], "seed=3");
    assert_string_equal(sets[1], "fit.lr=1");
}

static void check_refused(const char *word, const char *want) {
    struct options o;
    struct err err = {0};
    assert_int_equal(parse(&o, 1, &word, &err), ERR_USAGE);
    assert_string_equal(err.msg, want);
}

static void mistakes_are_told(void **state) {
    (void)state;
    check_refused("--jsom", "plan: unknown option --jsom (did you mean --json?)");
    check_refused("-x", "plan: unknown option -x; see taskvec plan --help");
    check_refused("--json=yes", "plan: --json takes no value");
    check_refused("-o", "plan: -o needs a value: -o DIR");
}

static void check_time(const char *text, double want) {
    double seconds = -1.0;
    assert_int_equal(options_time(&seconds, text, NULL), ERR_OK);
    assert_true(seconds == want);
}

static void times_are_those_of_slurm(void **state) {
    (void)state;
    check_time("90", 90.0);
    check_time("2:30", 150.0);
    check_time("1:00:05", 3605.0);
    check_time("2-01", 2.0 * 86400 + 3600);
    check_time("1-02:03:04", 86400.0 + 7384);
    check_time("UNLIMITED", (double)INFINITY);
    const char *const bad[] = {"", "soon", "1:2:3:4", "-5", "1-", "1.5", "1:-2", "x-3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double seconds;
        struct err err = {0};
        assert_int_equal(options_time(&seconds, bad[i], &err), ERR_USAGE);
        assert_non_null(strstr(err.msg, "D-HH:MM:SS"));
    }
    const char *const none[] = {"0", "0:00", "0-00:00:00"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        double seconds;
        char want[96];
        struct err err = {0};
        (void)snprintf(want, sizeof want, "time \"%s\": expected more than 0", none[i]);
        assert_int_equal(options_time(&seconds, none[i], &err), ERR_USAGE);
        assert_string_equal(err.msg, want);
    }
}

static void sizes_have_units(void **state) {
    (void)state;
    double bytes = 0.0;
    struct err err = {0};
    assert_int_equal(options_bytes(&bytes, "1.5K", &err), ERR_OK);
    assert_true(bytes == 1536.0);
    assert_int_equal(options_bytes(&bytes, "2G", &err), ERR_OK);
    assert_true(bytes == 2147483648.0);
    const char *const bad[] = {"", "-1", "0", "5Q", "1GB", "nan", "1e400"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(options_bytes(&bytes, bad[i], &err), ERR_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_mix),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(times_are_those_of_slurm),
        cmocka_unit_test(sizes_have_units),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
