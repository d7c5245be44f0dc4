#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "twins/error_says.h"

static enum err_code half(int *out, int n, struct err *err) {
    enum err_code rc = ERR_OK;
    int *room = malloc(sizeof *room);
    CHECK(room, ERR_MEMORY, "no room");
    CHECK(n % 2 == 0, ERR_DATA, "expected an even number, received %d", n);
    *room = n / 2;
    *out = *room;
cleanup:
    free(room);
    return rc;
}

static enum err_code quarter(int *out, int n, struct err *err) {
    enum err_code rc = ERR_OK;
    int between = 0;
    TRY(half(&between, n, err));
    TRY(half(out, between, err));
cleanup:
    return rc;
}

static void errors_come_up_unchanged(void **state) {
    (void)state;
    struct err err = {0};
    int out = -1;
    SUCCEEDS(quarter(&out, 12, &err));
    assert_int_equal(out, 3);
    assert_int_equal(err.code, ERR_OK);
    out = -1;
    ERROR_SAYS(quarter(&out, 6, &err), ERR_DATA, "expected an even number, received 3");
    assert_int_equal(err.code, ERR_DATA);
    assert_int_equal(out, -1);
    assert_non_null(strstr(err.file, "test_err.c"));
    assert_true(err.line > 0);
}

static void a_caller_may_want_only_the_code(void **state) {
    (void)state;
    int out = 0;
    assert_int_equal(half(&out, 3, NULL), ERR_DATA);
}

static void long_messages_are_cut(void **state) {
    (void)state;
    struct err err;
    char words[2000];
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    assert_int_equal(ERR(&err, ERR_IO, "%s", words), ERR_IO);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
}

static void exit_codes_are_the_documented_ones(void **state) {
    (void)state;
    static const struct {
        enum err_code code;
        int exit_code;
    } rows[] = {{ERR_OK, 0},      {ERR_DIFFERS, 1}, {ERR_NUMERIC, 1}, {ERR_STOPPED, 75},
                {ERR_USAGE, 64},  {ERR_CONFIG, 65}, {ERR_DATA, 65},   {ERR_BUG, 70},
                {ERR_MEMORY, 71}, {ERR_SYSTEM, 71}, {ERR_MPI, 71},    {ERR_IO, 74}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(err_exit_code(rows[i].code), rows[i].exit_code);
        assert_true(strlen(err_text(rows[i].code)) > 1);
    }
}

/* The documented order: 65, 70, 74, 71, 75, 1, 0; a bad command line, with which nothing is begun,
 * before all. */
static void worse_exits_win(void **state) {
    (void)state;
    static const int ORDER[] = {64, 65, 70, 74, 71, 75, 1, 0};
    enum { N = sizeof ORDER / sizeof *ORDER };
    for (size_t i = 0; i < N; i++)
        for (size_t k = i; k < N; k++) {
            assert_int_equal(err_worse_exit(ORDER[i], ORDER[k]), ORDER[i]);
            assert_int_equal(err_worse_exit(ORDER[k], ORDER[i]), ORDER[i]);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_come_up_unchanged),
        cmocka_unit_test(a_caller_may_want_only_the_code),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(exit_codes_are_the_documented_ones),
        cmocka_unit_test(worse_exits_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
