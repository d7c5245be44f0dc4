/* The nearer of --max-time and the end of the Slurm job. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "machine/time_limit.h"

static void test_nonsense(void **state) {
    (void)state;
    static const char *const BAD[] = {"",
                                      "soon",
                                      "-5",
                                      "1e9",
                                      "0x10",
                                      "999",
                                      "1000",
                                      " 1001",
                                      "1001 ",
                                      "1001.5",
                                      "99999999999999999999"};
    double seconds = 0.0;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (time_limit_slurm(&seconds, BAD[i], 1000.0)) fail_msg("'%s': %g s", BAD[i], seconds);
    assert_true(time_limit_slurm(&seconds, "1001", 1000.25));
    assert_true(seconds == 0.75);
}

static void expect_end(double max_time, double wanted) {
    const struct log quiet = {.level = LOG_ERROR};
    const double now = clock_now(), end = time_limit_end(now, max_time, &quiet);
    const double found = end > 0.0 ? end - now : 0.0;
    if (found < wanted - 1.5 || found > wanted + 1.5) fail_msg("%g s, not %g", found, wanted);
}

static void test_nearer(void **state) {
    (void)state;
    char text[32];
    unsetenv("SLURM_JOB_END_TIME");
    expect_end(0, 0);
    expect_end(50, 50);
    assert_true(isinf(time_limit_end(clock_now(), (double)INFINITY, &(struct log){0})));
    (void)snprintf(text, sizeof text, "%lld", (long long)time(NULL) + 100);
    setenv("SLURM_JOB_END_TIME", text, 1);
    expect_end(0, 100);
    expect_end(50, 50);
    expect_end(500, 100);
    expect_end((double)INFINITY, 100);
    setenv("SLURM_JOB_END_TIME", "tomorrow", 1);
    expect_end(0, 0);
    expect_end(50, 50);
    unsetenv("SLURM_JOB_END_TIME");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_nearer),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
