/* What each message of a rank does to its task, the journal and the queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "par/coordinator_scene.h"

/* One job on rank 0 of `ranks`, handed out. */
static uint64_t start_one(struct scene *s, int ranks) {
    scene_create(s, ranks, 1);
    scene_begin_first(s);
    scene_dispatch(s);
    return expect_start(s, 0, 0, "0");
}

/* One job of a group of two, handed out. */
static uint64_t start_group(struct scene *s) {
    scene_create(s, 2, 1);
    s->jobs[0].cost.group = 2;
    scene_begin_first(s);
    scene_dispatch(s);
    (void)expect_start(s, 0, 0, "0,1");
    return expect_sent(&s->transport, 1, MESSAGE_ORDER)->head.serial;
}

static void expect_quiet(struct scene *s) {
    expect_nothing_sent(&s->transport);
    expect_no_line(s);
}

static void test_done(void **state) {
    const struct message_done done = {
        .rows = 2, .bytes = 99, .share = 1.0, .artifact = 1, .sha256 = "abc"};
    struct scene s;
    struct farm_outcome outcome;
    (void)state;
    const uint64_t serial = start_one(&s, 1);
    scene_receive(&s, 0,
                  (struct message_head){
                      .kind = MESSAGE_DONE, .serial = serial, .a = 1.5, .size = sizeof done},
                  &done);
    const struct event *e = expect_job_line(&s, EVENT_DONE, 0);
    assert_int_equal(event_find_integer(e, "rows", -1), 2);
    assert_true(event_find_real(e, "seconds", 0.0) == 1.5);
    assert_int_equal(event_find_integer(e, "artifact", -1), 1);
    assert_int_equal(event_find_integer(e, "bytes", -1), 99);
    expect_field(e, "sha256", "abc");
    expect_field(e, "shards", "");
    expect_quiet(&s);
    assert_true(coordinator_is_finished(&s.c));
    coordinator_outcome(&outcome, &s.c);
    assert_int_equal(outcome.done, 1);
    assert_int_equal(outcome.done_now, 1);
    assert_int_equal(outcome.exit_code, 0);
    scene_destroy(&s);
}

/* The job is FAILED with class and reason, what reads it is blocked, the rank takes other jobs. */
static void test_failed(void **state) {
    struct scene s;
    struct farm_outcome outcome;
    (void)state;
    scene_create(&s, 1, 3);
    s.jobs[0].cost.flops = 9.0;
    s.jobs[1].parents[0] = 0;
    s.jobs[1].n_parents = 1;
    scene_begin_first(&s);
    scene_dispatch(&s);
    s.farm.log.level = LOG_ERROR;
    scene_receive_failed(&s, 0, expect_start(&s, 0, 0, "0"), FAILURE_SEGV, "signal 11");
    const struct event *e = expect_job_line(&s, EVENT_FAILED, 0);
    expect_field(e, "class", "segv");
    expect_field(e, "reason", "signal 11");
    expect_quiet(&s);
    scene_dispatch(&s);
    scene_receive_done(&s, 0, expect_start(&s, 2, 0, "0"));
    (void)expect_job_line(&s, EVENT_DONE, 2);
    expect_quiet(&s);
    assert_true(coordinator_is_finished(&s.c));
    coordinator_outcome(&outcome, &s.c);
    assert_int_equal(outcome.failed, 1);
    assert_int_equal(outcome.blocked, 1);
    assert_int_equal(outcome.exit_code, 1);
    scene_destroy(&s);
}

/* LINES with one row of job 0. */
static void receive_row(struct scene *s, int rank, uint64_t serial) {
    struct text line = {0};
    event_begin(&line, EVENT_ROW);
    event_text(&line, "job", s->jobs[0].identity);
    event_integer(&line, "number", 0);
    event_end(&line);
    scene_receive(s, rank,
                  (struct message_head){.kind = MESSAGE_LINES, .serial = serial, .size = line.size},
                  line.data);
    text_release(&line);
}

/* Rows and checkpoints are journaled as they come. */
static void test_lines_and_checkpoint(void **state) {
    struct scene s;
    (void)state;
    const uint64_t serial = start_one(&s, 1);
    receive_row(&s, 0, serial);
    assert_int_equal(event_find_integer(expect_job_line(&s, EVENT_ROW, 0), "number", -1), 0);
    scene_receive(
        &s, 0,
        (struct message_head){.kind = MESSAGE_CHECKPOINT, .serial = serial, .a = 20.0, .b = 80.0},
        NULL);
    const struct event *e = expect_job_line(&s, EVENT_CHECKPOINT, 0);
    assert_true(event_find_real(e, "done", 0.0) == 20.0);
    assert_true(event_find_real(e, "total", 0.0) == 80.0);
    expect_quiet(&s);
    scene_destroy(&s);
}

/* The checkpoint of a DONE job is deleted, but only once its DONE line is on the disk. */
static void test_checkpoint_is_deleted(void **state) {
    struct scene s;
    char name[128];
    (void)state;
    const uint64_t serial = start_one(&s, 1);
    (void)snprintf(name, sizeof name, "%s.safetensors", s.jobs[0].identity);
    scene_write_file(&s, "checkpoints", name);
    (void)snprintf(name, sizeof name, "checkpoints/%s.safetensors", s.jobs[0].identity);
    scene_receive(
        &s, 0,
        (struct message_head){.kind = MESSAGE_CHECKPOINT, .serial = serial, .a = 1.0, .b = 2.0},
        NULL);
    scene_receive_done(&s, 0, serial);
    s.c.journal.last_sync = clock_now();
    scene_tick(&s);
    assert_true(scene_has_file(&s, name));
    s.c.journal.last_sync -= 10.0;
    scene_tick(&s);
    scene_tick(&s);
    assert_false(scene_has_file(&s, name));
    scene_destroy(&s);
}

static void receive_done_of_rank_1(struct scene *s, uint64_t serial) {
    const struct message_done none = {0};
    scene_receive(s, 1,
                  (struct message_head){
                      .kind = MESSAGE_DONE, .serial = serial, .from = 1, .size = sizeof none},
                  &none);
}

/* A group ends when all its ranks have, in any order; DONE names the shards of each, and has the
 * result of rank 0. */
static void expect_group_done(bool rank_1_first) {
    struct scene s;
    const uint64_t serial = start_group(&s);
    for (int rank = 0; rank < 2; rank++)
        scene_receive(
            &s, rank,
            (struct message_head){
                .kind = MESSAGE_SHARDS, .serial = serial, .from = rank, .a = 2.0 * rank, .b = 2.0},
            NULL);
    if (rank_1_first) receive_done_of_rank_1(&s, serial);
    if (rank_1_first) expect_quiet(&s);
    scene_receive_done(&s, 0, serial);
    if (!rank_1_first) expect_quiet(&s);
    if (!rank_1_first) receive_done_of_rank_1(&s, serial);
    const struct event *e = expect_job_line(&s, EVENT_DONE, 0);
    expect_field(e, "shards", "0:0-1,1:2-3");
    assert_true(event_find_real(e, "seconds", 0.0) == 2.5);
    expect_quiet(&s);
    scene_destroy(&s);
}

static void test_group_done(void **state) {
    (void)state;
    expect_group_done(true);
    expect_group_done(false);
}

/* A rank that has ended already is not abandoned: it may work on another job by then. */
static void test_group_failed_late(void **state) {
    struct scene s;
    (void)state;
    const uint64_t serial = start_group(&s);
    receive_done_of_rank_1(&s, serial);
    scene_receive_failed(&s, 0, serial, FAILURE_SEGV, "signal 11");
    expect_field(expect_job_line(&s, EVENT_FAILED, 0), "class", "segv");
    expect_quiet(&s);
    scene_destroy(&s);
}

/* One rank of a group fails: the others are abandoned, their rows are dropped, and the job is
 * FAILED once when all have ended. */
static void test_group_failed(void **state) {
    struct scene s;
    (void)state;
    const uint64_t serial = start_group(&s);
    scene_receive_failed(&s, 1, serial, FAILURE_OOM, "no memory");
    assert_int_equal(expect_sent(&s.transport, 0, MESSAGE_ABANDON)->head.serial, serial);
    receive_row(&s, 0, serial);
    expect_quiet(&s);
    scene_receive_plain(&s, 0, MESSAGE_STOPPED, serial);
    expect_field(expect_job_line(&s, EVENT_FAILED, 0), "class", "oom");
    expect_quiet(&s);
    scene_destroy(&s);
}

/* A rank of the group was stopped before it finished: the job is pending again, whatever the others
 * say. */
static void test_group_stopped(void **state) {
    struct scene s;
    struct farm_outcome outcome;
    (void)state;
    const uint64_t serial = start_group(&s);
    scene_receive_done(&s, 0, serial);
    scene_receive_plain(&s, 1, MESSAGE_STOPPED, serial);
    (void)expect_job_line(&s, EVENT_STOPPED, 0);
    expect_quiet(&s);
    coordinator_outcome(&outcome, &s.c);
    assert_int_equal(outcome.pending, 1);
    assert_int_equal(outcome.exit_code, 75);
    scene_destroy(&s);
}

/* Messages of a task that has ended change nothing, but the rank is heard. */
static void test_late_messages(void **state) {
    static const enum message_kind KINDS[] = {MESSAGE_LINES, MESSAGE_CHECKPOINT, MESSAGE_SHARDS,
                                              MESSAGE_DONE,  MESSAGE_STOPPED,    MESSAGE_PROGRESS};
    struct scene s;
    (void)state;
    const uint64_t serial = start_one(&s, 2);
    scene_receive_failed(&s, 0, serial, FAILURE_ABORT, "signal 6");
    (void)expect_job_line(&s, EVENT_FAILED, 0);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        s.c.ranks[0].last_heard = 0.0;
        scene_receive_plain(&s, 0, KINDS[i], serial);
        assert_true(s.c.ranks[0].last_heard > 0.0);
    }
    expect_quiet(&s);
    assert_int_equal(s.c.n_idle, 2);
    scene_destroy(&s);
}

/* An error of the machine ends the attempt: others are asked to stop, the job stays pending, the
 * code is that of the error. */
static void test_fatal(void **state) {
    static const char WHY[] = "disk full";
    struct scene s;
    struct farm_outcome outcome;
    (void)state;
    scene_create(&s, 2, 3);
    scene_begin_first(&s);
    scene_dispatch(&s);
    const uint64_t first = expect_start(&s, 0, 0, "0"), second = expect_start(&s, 1, 1, "1");
    scene_receive(
        &s, 0,
        (struct message_head){
            .kind = MESSAGE_FATAL, .serial = first, .code = ERR_IO, .size = sizeof WHY - 1},
        WHY);
    (void)expect_sent(&s.transport, 1, MESSAGE_STOP);
    (void)expect_job_line(&s, EVENT_STOPPED, 0);
    scene_dispatch(&s);
    expect_quiet(&s);
    scene_receive_plain(&s, 1, MESSAGE_STOPPED, second);
    (void)expect_job_line(&s, EVENT_STOPPED, 1);
    assert_true(coordinator_is_finished(&s.c));
    MUST_SUCCEED(&s, coordinator_end(&s.c, &outcome, &s.err));
    assert_int_equal(outcome.exit_code, 74);
    const struct event *e = expect_line(&s, EVENT_END);
    assert_int_equal(event_find_integer(e, "code", -1), 74);
    assert_non_null(strstr(event_find(e, "reason"), "job on rank 0: disk full"));
    scene_destroy(&s);
}

/* Ranks that make no progress together: after twice hang_after the group is abandoned. */
static void test_group_hangs(void **state) {
    struct scene s;
    (void)state;
    const uint64_t serial = start_group(&s);
    s.farm.hang_after = 10.0;
    s.c.last_ping = clock_now();
    s.c.tasks[0].last_report -= 19.0;
    scene_tick(&s);
    expect_quiet(&s);
    s.c.tasks[0].last_report -= 2.0;
    scene_tick(&s);
    for (int rank = 0; rank < 2; rank++)
        assert_int_equal(expect_sent(&s.transport, rank, MESSAGE_ABANDON)->head.serial, serial);
    scene_receive_plain(&s, 0, MESSAGE_STOPPED, serial);
    scene_receive_plain(&s, 1, MESSAGE_STOPPED, serial);
    expect_field(expect_job_line(&s, EVENT_FAILED, 0), "class", "hang");
    expect_quiet(&s);
    scene_destroy(&s);
}

/* Every rank is pinged; one that was silent for twice par.silence ends the attempt. */
static void test_lost_rank(void **state) {
    struct scene s;
    (void)state;
    (void)start_one(&s, 3);
    scene_tick(&s);
    (void)expect_sent(&s.transport, 1, MESSAGE_PING);
    (void)expect_sent(&s.transport, 2, MESSAGE_PING);
    scene_tick(&s);
    expect_quiet(&s);
    s.c.ranks[2].last_heard -= 121.0;
    s.c.last_ping -= 11.0;
    assert_int_equal(coordinator_tick(&s.c, &s.err), ERR_MPI);
    assert_non_null(strstr(s.err.msg, "rank 2 has been silent for 121 s"));
    (void)expect_sent(&s.transport, 1, MESSAGE_PING);
    expect_quiet(&s);
    scene_destroy(&s);
}

/* A suspension of this process is no silence of the others. */
static void test_suspension(void **state) {
    struct scene s;
    (void)state;
    (void)start_group(&s);
    s.farm.hang_after = 10.0;
    s.c.last_ping = clock_now();
    s.c.suspension.now -= 1000.0;
    s.c.tasks[0].last_report -= 1000.0;
    s.c.ranks[1].last_heard -= 1000.0;
    scene_tick(&s);
    expect_quiet(&s);
    scene_destroy(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done),
        cmocka_unit_test(test_failed),
        cmocka_unit_test(test_lines_and_checkpoint),
        cmocka_unit_test(test_checkpoint_is_deleted),
        cmocka_unit_test(test_group_done),
        cmocka_unit_test(test_group_failed),
        cmocka_unit_test(test_group_failed_late),
        cmocka_unit_test(test_group_stopped),
        cmocka_unit_test(test_late_messages),
        cmocka_unit_test(test_fatal),
        cmocka_unit_test(test_group_hangs),
        cmocka_unit_test(test_lost_rank),
        cmocka_unit_test(test_suspension),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
