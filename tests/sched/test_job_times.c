/* How long jobs will take, learned from those before. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/job_times.h"

static struct job_times *make(size_t n) {
    struct job_times *p = NULL;
    struct err err = {0};
    if (job_times_create(&p, n, &err) != ERR_OK) fail_msg("%s", err.msg);
    return p;
}

static void expect(struct job_times *p, size_t class, double cost, int group, double wanted) {
    const double found = job_times_predict(p, class, cost, group);
    if (fabs(found - wanted) > 1e-12 * wanted) fail_msg("%.17g s, not %.17g", found, wanted);
}

static void test_slowest_of_few(void **state) {
    (void)state;
    struct job_times *p = make(2);
    expect(p, 0, 7, 1, 0);
    job_times_learn(p, 0, 10, 1, 2);
    job_times_learn(p, 0, 10, 1, 5);
    job_times_learn(p, 0, 10, 2, 1); /* two ranks for a second */
    expect(p, 0, 20, 1, 10);
    expect(p, 0, 20, 4, 2.5);
    expect(p, 1, 20, 1, 0); /* another class tells nothing */
    job_times_destroy(p);
}

static void test_percentile_of_many(void **state) {
    (void)state;
    struct job_times *p = make(1);
    for (int i = 0; i < JOB_TIMES_ENOUGH; i++) job_times_learn(p, 0, 1, 1, i + 1);
    expect(p, 0, 1, 1, 19); /* the slowest of 20 is left out */
    for (int i = 0; i < 100; i++) job_times_learn(p, 0, 1, 1, 100 - i);
    expect(p, 0, 1, 1, 94); /* rank 114 of 120 */
    for (int i = 0; i < JOB_TIMES_KEPT; i++) job_times_learn(p, 0, 1, 1, 0.5);
    expect(p, 0, 3, 1, 1.5); /* what was long ago is forgotten */
    job_times_destroy(p);
}

static void test_nonsense(void **state) {
    (void)state;
    struct job_times *p = make(1);
    job_times_learn(p, 0, 0, 1, 5);
    job_times_learn(p, 0, 5, 1, 0);
    job_times_learn(p, 0, 5, 1, (double)NAN);
    job_times_learn(p, 0, 5, 1, (double)INFINITY);
    job_times_learn(p, 0, (double)INFINITY, 1, 1);
    job_times_learn(p, 0, -1, 1, 1);
    expect(p, 0, 1, 1, 0);
    job_times_destroy(p);
    job_times_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slowest_of_few),
        cmocka_unit_test(test_percentile_of_many),
        cmocka_unit_test(test_nonsense),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
