#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sched/forecast.h"

static void expect(const struct planned_job *jobs, const struct forecast_state *states, size_t n,
                   int ranks, double wanted) {
    struct err err = {0};
    double seconds = -1.0;
    if (forecast_make(&seconds, jobs, states, n, ranks, &err) != ERR_OK) fail_msg("%s", err.msg);
    if (seconds != wanted) fail_msg("%d ranks: %g s, not %g", ranks, seconds, wanted);
}

static void test_nothing_left(void **state) {
    (void)state;
    const struct planned_job jobs[2] = {{.cost.flops = 1}, {.cost.flops = 1}};
    const struct forecast_state states[] = {{.state = QUEUE_DONE, .seconds = 9.0},
                                            {.state = QUEUE_FAILED, .seconds = 9.0}};
    expect(NULL, NULL, 0, 4, 0.0);
    expect(jobs, states, 2, 4, 0.0);
}

/* Longest first: 5 and 3 on two ranks, then 2 and 1. */
static void test_ranks(void **state) {
    (void)state;
    const struct forecast_state states[] = {
        {.seconds = 2.0}, {.seconds = 5.0}, {.seconds = 3.0}, {.seconds = 1.0}};
    struct planned_job jobs[4] = {0};
    for (size_t i = 0; i < 4; i++) jobs[i].cost.flops = states[i].seconds;
    expect(jobs, states, 4, 1, 11.0);
    expect(jobs, states, 4, 2, 6.0);
    expect(jobs, states, 4, 100, 5.0);
}

/* A chain takes the sum of its jobs; jobs that a failed one blocks take no time. */
static void test_chain(void **state) {
    (void)state;
    const struct planned_job jobs[] = {{.cost.flops = 1.0},
                                       {.cost.flops = 1.0, .parents = {0}, .n_parents = 1},
                                       {.cost.flops = 9.0, .parents = {1}, .n_parents = 1},
                                       {.cost.flops = 1.0},
                                       {.cost.flops = 1.0, .parents = {3}, .n_parents = 1}};
    const struct forecast_state states[] = {{.seconds = 4.0},
                                            {.seconds = 3.0},
                                            {.seconds = 2.0},
                                            {.seconds = 50.0, .state = QUEUE_FAILED},
                                            {.seconds = 50.0}};
    expect(jobs, states, 5, 8, 9.0);
}

/* A running job continues on its rank, however cheap; a group waits for its ranks. A job that is
 * not expected to outlast the running one overtakes the group, a longer one does not. */
static void test_running(void **state) {
    (void)state;
    struct planned_job jobs[] = {{.cost = {.flops = 100.0, .group = 2}},
                                 {.cost = {.flops = 60.0, .group = 1}},
                                 {.cost = {.flops = 50.0, .group = 1}}};
    const struct forecast_state states[] = {
        {.seconds = 10.0}, {.seconds = 4.0, .ranks = 1, .state = QUEUE_RUNNING}, {.seconds = 3.0}};
    expect(jobs, states, 3, 2, 14.0);
    jobs[1].cost.flops = 40.0;
    expect(jobs, states, 3, 2, 17.0);
}

/* A job that ran on more ranks than there are now starts when ranks are idle. */
static void test_too_many_ranks(void **state) {
    (void)state;
    const struct planned_job jobs[] = {{.cost = {.flops = 9.0, .group = 4}},
                                       {.cost = {.flops = 1.0, .group = 1}}};
    const struct forecast_state states[] = {{.seconds = 5.0, .ranks = 4, .state = QUEUE_RUNNING},
                                            {.seconds = 1.0}};
    expect(jobs, states, 2, 2, 6.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_left),   cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_chain),          cmocka_unit_test(test_running),
        cmocka_unit_test(test_too_many_ranks),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
