/* Stop requests, grace period and time limit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "par/coordinator_scene.h"

/* Three jobs on two ranks: job 0, which writes checkpoints, and job 1 are in work; 2 waits. */
static void start_two(struct scene *s, uint64_t serials[2]) {
    scene_create(s, 2, 3);
    s->jobs[0].cost.checkpoints = true;
    s->jobs[0].cost.flops = s->jobs[1].cost.flops = 5.0;
    scene_begin_first(s);
    scene_dispatch(s);
    serials[0] = expect_start(s, 0, 0, "0");
    serials[1] = expect_start(s, 1, 1, "1");
    s->c.last_ping = clock_now();
}

static void expect_quiet(struct scene *s) {
    expect_nothing_sent(&s->transport);
    expect_no_line(s);
}

static void expect_stop_of_both(struct scene *s, const char *signal) {
    (void)expect_sent(&s->transport, 0, MESSAGE_STOP);
    (void)expect_sent(&s->transport, 1, MESSAGE_STOP);
    expect_field(expect_line(s, EVENT_LEAVE), "signal", signal);
    scene_dispatch(s);
    expect_quiet(s);
    assert_false(coordinator_is_finished(&s->c));
}

/* A signal: all jobs are asked to stop, the request is on the journal at once, nothing more is
 * handed out; the attempt ends with 75 when the last one has stopped. */
static void test_signal(void **state) {
    struct scene s;
    struct farm_outcome outcome;
    uint64_t serials[2];
    (void)state;
    start_two(&s, serials);
    scene_signal(&s, SIGUSR1);
    scene_tick(&s);
    expect_stop_of_both(&s, strsignal(SIGUSR1));
    scene_receive_plain(&s, 0, MESSAGE_STOPPED, serials[0]);
    (void)expect_job_line(&s, EVENT_STOPPED, 0);
    scene_receive_done(&s, 1, serials[1]);
    (void)expect_job_line(&s, EVENT_DONE, 1);
    scene_dispatch(&s);
    expect_quiet(&s);
    assert_true(coordinator_is_finished(&s.c));
    MUST_SUCCEED(&s, coordinator_end(&s.c, &outcome, &s.err));
    assert_int_equal(outcome.exit_code, 75);
    assert_int_equal(outcome.pending, 2);
    assert_false(outcome.at_once);
    assert_int_equal(event_find_integer(expect_line(&s, EVENT_END), "code", -1), 75);
    scene_destroy(&s);
}

/* The grace period: 15 s for checkpoints, then the children are killed, 3 s more for their ends. */
static void test_grace_period(void **state) {
    struct scene s;
    uint64_t serials[2];
    (void)state;
    start_two(&s, serials);
    scene_signal(&s, SIGINT);
    scene_tick(&s);
    expect_stop_of_both(&s, strsignal(SIGINT));
    scene_pass(&s, 14.0);
    scene_tick(&s);
    expect_quiet(&s);
    scene_pass(&s, 1.5);
    scene_tick(&s);
    for (int rank = 0; rank < 2; rank++)
        assert_int_equal(expect_sent(&s.transport, rank, MESSAGE_ABANDON)->head.serial,
                         serials[rank]);
    scene_tick(&s);
    expect_quiet(&s);
    assert_false(coordinator_is_finished(&s.c));
    scene_pass(&s, 2.0);
    assert_false(coordinator_is_finished(&s.c));
    scene_pass(&s, 1.0);
    assert_true(coordinator_is_finished(&s.c));
    scene_destroy(&s);
}

/* A second signal within half a second is the same request, a later one stops at once. */
static void test_second_signal(void **state) {
    struct scene s;
    struct farm_outcome outcome;
    uint64_t serials[2];
    (void)state;
    start_two(&s, serials);
    scene_signal(&s, SIGUSR1);
    scene_signal(&s, SIGUSR1);
    scene_tick(&s);
    expect_stop_of_both(&s, strsignal(SIGUSR1));
    scene_pass(&s, 1.0);
    scene_signal(&s, SIGTERM);
    scene_tick(&s);
    expect_quiet(&s);
    assert_true(coordinator_is_finished(&s.c));
    coordinator_outcome(&outcome, &s.c);
    assert_true(outcome.at_once);
    assert_int_equal(outcome.exit_code, 75);
    scene_destroy(&s);
}

/* mpirun kills 1 s after its TERM: the whole stop fits in 0.9 s. A plain start has 15 s. */
static void test_term(void **state) {
    (void)state;
    for (int launched = 0; launched < 2; launched++) {
        struct scene s;
        uint64_t serials[2];
        start_two(&s, serials);
        s.par.launched = launched;
        scene_signal(&s, SIGTERM);
        scene_tick(&s);
        expect_stop_of_both(&s, strsignal(SIGTERM));
        scene_pass(&s, 0.6);
        scene_tick(&s);
        if (launched) {
            (void)expect_sent(&s.transport, 0, MESSAGE_ABANDON);
            (void)expect_sent(&s.transport, 1, MESSAGE_ABANDON);
        }
        expect_quiet(&s);
        scene_pass(&s, 0.15);
        assert_int_equal(coordinator_is_finished(&s.c), launched);
        scene_destroy(&s);
    }
}

/* The time limit is near: only the job that writes checkpoints is asked; the other was started to
 * be done by now and has the grace period too. */
static void test_time_limit(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 2, 3);
    s.jobs[0].cost.checkpoints = true;
    s.jobs[0].cost.flops = s.jobs[1].cost.flops = 5.0;
    s.farm.end = clock_now() + 1000.0;
    scene_begin_first(&s);
    scene_dispatch(&s);
    (void)expect_start(&s, 0, 0, "0");
    const uint64_t second = expect_start(&s, 1, 1, "1");
    s.c.last_ping = clock_now();
    scene_pass(&s, 970.0); /* 30 s are left: 5 until jobs are asked */
    scene_tick(&s);
    expect_quiet(&s);
    scene_pass(&s, 5.5);
    scene_tick(&s);
    (void)expect_sent(&s.transport, 0, MESSAGE_STOP);
    scene_dispatch(&s);
    expect_quiet(&s);
    scene_pass(&s, 14.8); /* 0.6 of the 24.5 s from then on are 14.7 */
    scene_tick(&s);
    (void)expect_sent(&s.transport, 0, MESSAGE_ABANDON);
    assert_int_equal(expect_sent(&s.transport, 1, MESSAGE_ABANDON)->head.serial, second);
    expect_quiet(&s);
    scene_destroy(&s);
}

/* Jobs are asked to stop a fifth of a short limit before its end; mpirun needs its share before. */
static void test_moments(void **state) {
    static const struct {
        bool launched;
        double limit, stop_at;
    } CASES[] = {{false, 10.0, 8.0},     /* a fifth: 2 */
                 {false, 100.0, 93.0},   /* 2 + 100 / 20 */
                 {false, 1000.0, 975.0}, /* 25 at most */
                 {true, 1000.0, 973.0},  /* 2 more for mpirun */
                 {true, 5.0, 3.2}};      /* a fifth for mpirun, then a fifth of 4 */
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct scene s;
        scene_create(&s, 1, 1);
        s.par.launched = CASES[i].launched;
        const double began = clock_now();
        s.farm.end = began + CASES[i].limit;
        scene_begin_first(&s);
        assert_true(fabs(s.c.limit.stop_at - began - CASES[i].stop_at) < 0.1);
        scene_destroy(&s);
    }
}

/* A job of known length is started only if it ends in time; one that writes checkpoints needs the
 * grace period alone. When none fits and nothing is in work, the attempt stops early. */
static void test_what_fits(void **state) {
    struct scene s;
    struct farm_outcome outcome;
    (void)state;
    scene_create(&s, 2, 3);
    s.jobs[0].cost.flops = 9.0;
    s.jobs[1].cost.flops = 3.0;
    s.jobs[2].cost.flops = 9.0;
    s.jobs[2].cost.checkpoints = true;
    s.farm.end = clock_now() + 1000.0;
    scene_begin_first(&s);
    const struct job_record third = {.group = 1, .seconds = 300.0, .share = 1.0};
    coordinator_record_time(&s.c, 1, &third); /* so 9 take 900 s */
    scene_pass(&s, 500.0);
    scene_dispatch(&s);
    const uint64_t first = expect_start(&s, 2, 0, "0"), second = expect_start(&s, 1, 1, "1");
    expect_quiet(&s);
    scene_receive_done(&s, 1, second);
    (void)expect_job_line(&s, EVENT_DONE, 1);
    scene_dispatch(&s);
    expect_quiet(&s);
    assert_int_equal(s.c.stop.step, STOP_NONE); /* something is in work still */
    scene_receive_done(&s, 0, first);
    (void)expect_job_line(&s, EVENT_DONE, 2);
    /* both took 2.5 s: the slowest one known, 300 s for 3, still counts */
    scene_dispatch(&s);
    expect_quiet(&s);
    assert_true(coordinator_is_finished(&s.c));
    MUST_SUCCEED(&s, coordinator_end(&s.c, &outcome, &s.err));
    assert_int_equal(outcome.exit_code, 75);
    (void)expect_line(&s, EVENT_END);
    scene_destroy(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signal),        cmocka_unit_test(test_grace_period),
        cmocka_unit_test(test_second_signal), cmocka_unit_test(test_term),
        cmocka_unit_test(test_time_limit),    cmocka_unit_test(test_moments),
        cmocka_unit_test(test_what_fits),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
