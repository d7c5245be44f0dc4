#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "par/inject.h"

static void test_parse(void **state) {
    (void)state;
    struct inject in;
    struct err err;
    assert_int_equal(inject_parse(&in, NULL, &err), ERR_OK);
    assert_int_equal(in.n, 0);
    assert_int_equal(inject_parse(&in, "kill@job:0,hang@job:12,kill-all@event:31", &err), ERR_OK);
    assert_int_equal(in.n, 3);
    assert_int_equal(inject_find(&in, false, 0), INJECT_KILL);
    assert_int_equal(inject_find(&in, false, 12), INJECT_HANG);
    assert_int_equal(inject_find(&in, true, 31), INJECT_KILL_ALL);
    assert_int_equal(inject_find(&in, true, 0), INJECT_NONE);
    assert_int_equal(inject_find(&in, false, 31), INJECT_NONE);
}

static void test_kinds(void **state) {
    (void)state;
    struct inject in;
    struct err err;
    assert_int_equal(inject_parse(&in,
                                  "kill-coordinator@event:1,kill-rank@job:1,enospc@event:2,"
                                  "eio@job:2,slow-fs@event:3,torn-journal@event:4,"
                                  "torn-artifact@job:4,torn-artifact@event:5,clock-jump@event:6",
                                  &err),
                     ERR_OK);
    assert_int_equal(in.n, 9);
    assert_int_equal(inject_find(&in, true, 1), INJECT_KILL_COORDINATOR);
    assert_int_equal(inject_find(&in, false, 1), INJECT_KILL_RANK);
    assert_int_equal(inject_find(&in, true, 6), INJECT_CLOCK_JUMP);
    assert_int_equal(inject_disk(inject_find(&in, true, 2)).error, ENOSPC);
    assert_int_equal(inject_disk(inject_find(&in, false, 2)).error, EIO);
    assert_true(inject_disk(inject_find(&in, true, 3)).delay > 0.0);
    assert_true(inject_disk(inject_find(&in, true, 4)).torn);
    assert_int_equal(inject_disk(INJECT_SEGV).error, 0);
}

static void test_nonsense(void **state) {
    (void)state;
    static const char *const BAD[] = {"kill",
                                      "kill@",
                                      "kill@job",
                                      "kill@job:",
                                      "kill@job:x",
                                      "kill@job:1x",
                                      "kill@job:-1",
                                      "kill@row:1",
                                      "flood@job:1",
                                      "@job:1",
                                      "kill@job:1,",
                                      ",",
                                      "kill@job:1,,",
                                      "kill@job: 1",
                                      "killer@job:1",
                                      "nan@event:3",
                                      "oom@event:3",
                                      "kill-rank@event:3",
                                      "torn-journal@job:3",
                                      "clock-jump@job:3",
                                      "torn@event:3",
                                      "kill@jobs:1",
                                      "kill@eventful:1",
                                      "kill@job:99999999999999999999",
                                      "kill@job:1 ,segv@job:2"};
    struct inject in;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct err err = {0};
        if (inject_parse(&in, BAD[i], &err) != ERR_USAGE) fail_msg("\"%s\" was accepted", BAD[i]);
        assert_non_null(strstr(err.msg, "TASKVEC_INJECT"));
    }
}

/* A job must be in the plan; a line of the journal may be any number. */
static void test_beyond_the_plan(void **state) {
    (void)state;
    struct inject in;
    struct err err = {0};
    assert_int_equal(inject_parse(&in, "nan@job:59,kill-all@event:10000", &err), ERR_OK);
    assert_int_equal(inject_check(&in, 60, &err), ERR_OK);
    assert_int_equal(inject_check(&in, 59, &err), ERR_USAGE);
    assert_string_equal(err.msg,
                        "TASKVEC_INJECT: \"nan@job:59\": the plan has 59 jobs, from job:0 on");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_beyond_the_plan),
                                       cmocka_unit_test(test_nonsense)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
