/* How many ranks a run can use: plans without a config, their costs chosen by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "run/rundir/useful_ranks.h"

enum { JOBS = 12 };

struct scene {
    struct planned_job jobs[JOBS];
    struct run_state_job states[JOBS];
    struct plan plan;
};

/* n jobs of 100 flop, all to be done. */
static void begin(struct scene *s, size_t n) {
    *s = (struct scene){.plan = {.jobs = s->jobs, .n_jobs = n}};
    for (size_t j = 0; j < n; j++) {
        (void)snprintf(s->jobs[j].label, sizeof s->jobs[j].label, "fit[%zu]", j);
        s->jobs[j].cost = (struct job_cost){.flops = 100.0, .group = 1};
        s->states[j] = (struct run_state_job){.job = &s->jobs[j], .state = QUEUE_PENDING};
    }
}

static void read_by(struct scene *s, size_t child, size_t parent) {
    s->jobs[child].parents[s->jobs[child].n_parents++] = parent;
}

/* At `rate` flop/s. */
static void expect_at(const struct scene *s, double rate, int ranks, double seconds) {
    struct err err = {0};
    int got = -1;
    double span = -1.0, core[JOBS];
    for (size_t j = 0; j < s->plan.n_jobs; j++) core[j] = s->jobs[j].cost.flops / rate;
    assert_int_equal(useful_ranks(&got, &span, &s->plan, s->states, core, &err), ERR_OK);
    assert_int_equal(got, ranks);
    assert_float_equal(span, seconds, 1e-9);
}

/* 1000 s for a job of 100 flop. */
static void expect(const struct scene *s, int ranks, double seconds) {
    expect_at(s, 0.1, ranks, seconds);
}

static void test_jobs_that_wait_for_others_need_no_rank_of_their_own(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 9); /* a model, four fits of it, an evaluation of each */
    for (size_t j = 1; j < 5; j++) read_by(&s, j, 0), read_by(&s, j + 4, j);
    expect(&s, 4, 3000.0);
}

static void test_ranks_that_save_little_are_not_asked_for(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 12);
    s.jobs[0].cost.flops = 600.0; /* as long as six others */
    expect(&s, 3, 6000.0);
    expect_at(&s, 100.0, 2, 9.0);  /* a third would save 3 s */
    expect_at(&s, 1000.0, 1, 1.7); /* not worth a second rank */
}

static void test_groups_work_together(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 2);
    s.jobs[1].cost.group = 5;
    read_by(&s, 1, 0);
    expect(&s, 5, 1200.0);
}

static void test_only_what_is_left_counts(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 6);
    for (size_t j = 0; j < 4; j++) s.states[j].state = j < 2 ? QUEUE_DONE : QUEUE_FAILED;
    s.states[4].state = QUEUE_RUNNING; /* by an attempt that this one replaces */
    expect(&s, 2, 1000.0);
    s.states[4].state = s.states[5].state = QUEUE_DONE;
    expect(&s, 1, 0.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_that_wait_for_others_need_no_rank_of_their_own),
        cmocka_unit_test(test_ranks_that_save_little_are_not_asked_for),
        cmocka_unit_test(test_groups_work_together),
        cmocka_unit_test(test_only_what_is_left_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
