#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sched/forecast.h"

static void expect(const struct forecast_job *jobs, size_t n, int ranks, double wanted) {
    struct err err = {0};
    double seconds = -1.0;
    if (forecast_make(&seconds, jobs, n, ranks, &err) != ERR_OK) fail_msg("%s", err.msg);
    if (seconds != wanted) fail_msg("%d ranks: %g s, not %g", ranks, seconds, wanted);
}

static void test_nothing_left(void **state) {
    (void)state;
    const struct forecast_job jobs[] = {{.state = QUEUE_DONE, .seconds = 9.0},
                                        {.state = QUEUE_FAILED, .seconds = 9.0}};
    expect(NULL, 0, 4, 0.0);
    expect(jobs, 2, 4, 0.0);
}

/* Longest first: 5 beside 3 and 2 on two ranks, then 1. */
static void test_ranks(void **state) {
    (void)state;
    struct forecast_job jobs[] = {
        {.seconds = 2.0}, {.seconds = 5.0}, {.seconds = 3.0}, {.seconds = 1.0}};
    for (size_t i = 0; i < 4; i++) jobs[i].cost = jobs[i].seconds;
    expect(jobs, 4, 1, 11.0);
    expect(jobs, 4, 2, 6.0);
    expect(jobs, 4, 100, 5.0);
}

/* A chain is as long as all of it; what is behind a failed job is not waited for. */
static void test_chain(void **state) {
    (void)state;
    static const size_t first = 0, second = 1, failed = 3;
    const struct forecast_job jobs[] = {
        {.cost = 1.0, .seconds = 4.0},
        {.cost = 1.0, .seconds = 3.0, .parents = &first, .n_parents = 1},
        {.cost = 9.0, .seconds = 2.0, .parents = &second, .n_parents = 1},
        {.cost = 1.0, .seconds = 50.0, .state = QUEUE_FAILED},
        {.cost = 1.0, .seconds = 50.0, .parents = &failed, .n_parents = 1}};
    expect(jobs, 5, 8, 9.0);
}

/* What runs goes on where it is, however small; a group waits for its ranks. */
static void test_running(void **state) {
    (void)state;
    const struct forecast_job jobs[] = {
        {.cost = 100.0, .seconds = 10.0, .group = 2},
        {.cost = 1.0, .seconds = 4.0, .group = 1, .state = QUEUE_RUNNING},
        {.cost = 50.0, .seconds = 3.0, .group = 1}};
    expect(jobs, 3, 2, 14.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_running),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
