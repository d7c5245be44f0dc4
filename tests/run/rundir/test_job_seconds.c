/* Core time of jobs: recorded of those that are done, calibrated of the others, scaled by stage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "run/rundir/job_seconds.h"

enum { JOBS = 5, STAGES = 2 };

struct scene {
    struct planned_job jobs[JOBS];
    struct history_job past[JOBS];
    struct run_state_job states[JOBS];
    struct plan plan;
    double seconds[JOBS];
};

/* A second for 1e9 operations of an estimator, besides the constant time of a job. */
static const struct calibration SPEED = {.estimates = 1e-9};

/* Jobs of 1, 2, ... s; the first three in stage 0. */
static void begin(struct scene *s) {
    *s = (struct scene){.plan = {.jobs = s->jobs, .n_jobs = JOBS, .n_stages = STAGES}};
    for (size_t j = 0; j < JOBS; j++) {
        s->jobs[j].stage = j >= 3;
        s->jobs[j].cost.load.estimates = 1e9 * (double)(j + 1);
        s->states[j] = (struct run_state_job){.job = &s->jobs[j], .state = QUEUE_PENDING};
    }
}

/* Other programs made it take three times as long as its processor time. */
static void finish(struct scene *s, size_t j, double cpu, const char *ranks) {
    s->past[j] = (struct history_job){
        .state = HISTORY_DONE, .seconds = 3 * cpu, .cpu = cpu, .share = 1, .ranks = ranks};
    s->states[j].past = &s->past[j];
    s->states[j].state = QUEUE_DONE;
}

static void expect(struct scene *s, const double wanted[JOBS]) {
    struct err err;
    double contexts = -1.0;
    assert_int_equal(job_seconds(s->seconds, &contexts, &s->plan, s->states, &SPEED, NULL, &err),
                     ERR_OK);
    for (size_t j = 0; j < JOBS; j++)
        assert_true(s->seconds[j] > 0.98 * wanted[j] && s->seconds[j] < 1.02 * wanted[j]);
}

static void a_new_run_takes_its_calibrated_time(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    expect(&s, (const double[]){1, 2, 3, 4, 5});
}

static void finished_jobs_scale_the_rest_of_their_stage(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    finish(&s, 0, 4.0, "0");
    expect(&s, (const double[]){4, 8, 12, 4, 5});
    finish(&s, 1, 1.0, "3,4"); /* two ranks for a second: 6 s of core time instead of 3 */
    expect(&s, (const double[]){4, 2, 6, 4, 5});
}

static void parts_of_a_job_count_by_their_share(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    finish(&s, 3, 1.0, "0");
    s.past[3].share = 0.25; /* the rest was done before a checkpoint */
    expect(&s, (const double[]){1, 2, 3, 4, 5});
    s.past[3].share = 0; /* how much was done before is not known */
    s.past[3].total = 10;
    s.past[3].cpu = 0.1;
    expect(&s, (const double[]){1, 2, 3, 4, 5});
}

/* A journal from before 0.3.0 has elapsed seconds alone: they change nothing. */
static void elapsed_seconds_are_no_core_time(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    finish(&s, 0, 4.0, "0");
    s.past[0].cpu = 0.0;
    expect(&s, (const double[]){1, 2, 3, 4, 5});
    finish(&s, 1, 4.0, "0");
    expect(&s, (const double[]){1, 4, 6, 4, 5});
}

/* Jobs 0 to 2 read the same contexts, which take one of their two seconds. */
static void contexts_are_made_once_for_all_that_share_them(void **state) {
    (void)state;
    static const struct calibration speed = {.contexts = {1e-9, 1e-9}, .estimates = 1e-9};
    static const double times[2][JOBS] = {{2, 1, 1, 2, 2}, {2, 2, 1, 2, 2}}, made[2] = {3, 4};
    struct scene s;
    struct err err;
    double contexts;
    begin(&s);
    for (size_t j = 0; j < JOBS; j++)
        s.jobs[j].cost.load =
            (struct job_load){.contexts = 1e9, .estimates = 1e9, .width = CALIBRATION_WIDE};
    for (size_t j = 0; j < JOBS; j++) s.jobs[j].cost.shared = 1e9;
    for (size_t j = 0; j < 3; j++) (void)snprintf(s.jobs[j].contexts, HASH_HEX, "same");
    (void)snprintf(s.jobs[3].contexts, HASH_HEX, "others");
    for (int resumed = 0; resumed < 2; resumed++) {
        if (resumed) finish(&s, 0, 2.0, "0"); /* contexts do not outlive an attempt */
        assert_int_equal(job_seconds(s.seconds, &contexts, &s.plan, s.states, &speed, NULL, &err),
                         ERR_OK);
        assert_true(contexts > 0.98 * made[resumed] && contexts < 1.02 * made[resumed]);
        for (size_t j = 0; j < JOBS; j++) {
            const double ratio = s.seconds[j] / times[resumed][j];
            assert_true(ratio > 0.98 && ratio < 1.02);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_run_takes_its_calibrated_time),
        cmocka_unit_test(finished_jobs_scale_the_rest_of_their_stage),
        cmocka_unit_test(elapsed_seconds_are_no_core_time),
        cmocka_unit_test(contexts_are_made_once_for_all_that_share_them),
        cmocka_unit_test(parts_of_a_job_count_by_their_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
