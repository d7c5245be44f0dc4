/* What an attempt does with what earlier attempts left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "par/coordinator_scene.h"
#include "store/artifact.h"

static void expect_quiet(struct scene *s) {
    expect_nothing_sent(&s->transport);
    expect_no_line(s);
}

/* The attempt dies: its lines are on the disk, its end is not. */
static void die(struct scene *s) {
    MUST_SUCCEED(s, journal_flush(&s->c.journal, &s->err));
    scene_end_attempt(s);
}

static void end(struct scene *s) {
    struct farm_outcome outcome;
    MUST_SUCCEED(s, coordinator_end(&s->c, &outcome, &s->err));
    (void)expect_line(s, EVENT_END);
    scene_end_attempt(s);
}

/* What is DONE is not run again, what was running is, and the attempts are numbered. */
static void test_died(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 1, 2);
    s.jobs[0].cost.flops = 2.0;
    scene_begin_first(&s);
    scene_dispatch(&s);
    scene_receive_done(&s, 0, expect_start(&s, 0, 0, "0"));
    (void)expect_job_line(&s, EVENT_DONE, 0);
    scene_dispatch(&s);
    (void)expect_start(&s, 1, 0, "0");
    die(&s);
    scene_begin(&s);
    assert_true(s.work);
    assert_int_equal(event_find_integer(expect_line(&s, EVENT_ATTEMPT), "number", -1), 2);
    expect_quiet(&s);
    scene_dispatch(&s);
    scene_receive_done(&s, 0, expect_start(&s, 1, 0, "0"));
    (void)expect_job_line(&s, EVENT_DONE, 1);
    expect_quiet(&s);
    assert_true(coordinator_is_finished(&s.c));
    end(&s);
    scene_begin(&s); /* nothing is left: no attempt is journaled */
    assert_false(s.work);
    expect_quiet(&s);
    scene_destroy(&s);
}

/* Five attempts in a row died while the job ran: FAILED as lost, and run again when told to. */
static void test_lost(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 1, 1);
    scene_begin_first(&s);
    for (int attempt = 0; attempt < QUEUE_LOST; attempt++) {
        if (attempt > 0) {
            scene_begin(&s);
            (void)expect_line(&s, EVENT_ATTEMPT);
        }
        scene_dispatch(&s);
        (void)expect_start(&s, 0, 0, "0");
        die(&s);
    }
    scene_begin(&s);
    (void)expect_line(&s, EVENT_ATTEMPT);
    expect_field(expect_job_line(&s, EVENT_FAILED, 0), "class", "lost");
    scene_dispatch(&s);
    expect_quiet(&s);
    assert_true(coordinator_is_finished(&s.c));
    end(&s);
    s.farm.retry_failed = true;
    scene_begin(&s);
    (void)expect_line(&s, EVENT_ATTEMPT);
    scene_dispatch(&s);
    (void)expect_start(&s, 0, 0, "0");
    scene_destroy(&s);
}

/* Attempts that were asked to stop are not counted as deaths. */
static void test_asked_to_stop(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 1, 1);
    scene_begin_first(&s);
    for (int attempt = 0; attempt < QUEUE_LOST + 1; attempt++) {
        if (attempt > 0) {
            scene_begin(&s);
            (void)expect_line(&s, EVENT_ATTEMPT);
        }
        scene_dispatch(&s);
        (void)expect_start(&s, 0, 0, "0");
        scene_signal(&s, SIGTERM);
        scene_tick(&s);
        (void)expect_line(&s, EVENT_LEAVE);
        die(&s); /* killed before its end was journaled */
    }
    scene_begin(&s);
    (void)expect_line(&s, EVENT_ATTEMPT);
    expect_no_line(&s);
    scene_destroy(&s);
}

/* A FAILED job is not run again by itself. */
static void test_failed(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 1, 1);
    scene_begin_first(&s);
    scene_dispatch(&s);
    scene_receive_failed(&s, 0, expect_start(&s, 0, 0, "0"), FAILURE_NAN, "not finite");
    (void)expect_job_line(&s, EVENT_FAILED, 0);
    end(&s);
    scene_begin(&s);
    assert_false(s.work);
    scene_dispatch(&s);
    expect_quiet(&s);
    scene_end_attempt(&s);
    s.farm.retry_failed = true;
    scene_begin(&s);
    assert_true(s.work);
    (void)expect_line(&s, EVENT_ATTEMPT);
    scene_dispatch(&s);
    (void)expect_start(&s, 0, 0, "0");
    scene_destroy(&s);
}

/* Job 0 is done with an artifact, job 1 reads it and waits. */
static void finish_with_artifact(struct scene *s, char path[FILE_PATH_MAX]) {
    static const float VALUES[] = {1.0f, 2.0f};
    const struct job_tensor tensor = {.name = "x", .rank = 1, .shape = {2}, .data = VALUES};
    struct message_done done = {.share = 1.0, .artifact = 1};
    struct artifact_seal seal;
    scene_create(s, 1, 2);
    s->jobs[1].parents[0] = 0;
    s->jobs[1].n_parents = 1;
    scene_begin_first(s);
    scene_dispatch(s);
    const uint64_t serial = expect_start(s, 0, 0, "0");
    MUST_SUCCEED(
        s, artifact_write(&seal, s->c.dir, s->jobs[0].identity, &tensor, 1, NULL, 0, &s->err));
    MUST_SUCCEED(s, artifact_path(path, s->c.dir, s->jobs[0].identity, &s->err));
    done.bytes = seal.bytes;
    memcpy(done.sha256, seal.sha256, sizeof done.sha256);
    scene_receive(s, 0,
                  (struct message_head){
                      .kind = MESSAGE_DONE, .serial = serial, .a = 1.0, .size = sizeof done},
                  &done);
    (void)expect_job_line(s, EVENT_DONE, 0);
    end(s);
}

/* A whole artifact is kept and the job that reads it runs; one that is gone, short or damaged makes
 * its own job run again first. */
static void test_artifact(void **state) {
    (void)state;
    for (int fault = 0; fault < 4; fault++) {
        struct scene s;
        char path[FILE_PATH_MAX];
        finish_with_artifact(&s, path);
        if (fault == 1) assert_int_equal(unlink(path), 0);
        if (fault == 2) assert_int_equal(truncate(path, 5), 0);
        if (fault == 3) {
            FILE *f = fopen(path, "r+");
            assert_non_null(f);
            assert_int_equal(fseek(f, -1, SEEK_END), 0);
            assert_int_equal(fputc('x', f), 'x');
            assert_int_equal(fclose(f), 0);
        }
        scene_begin(&s);
        (void)expect_line(&s, EVENT_ATTEMPT);
        scene_dispatch(&s);
        (void)expect_start(&s, fault ? 0 : 1, 0, "0");
        expect_quiet(&s);
        scene_destroy(&s);
    }
}

/* An artifact that no job still to run reads is looked for too: it is a result. */
static void test_artifact_of_last_job(void **state) {
    struct scene s;
    char path[FILE_PATH_MAX];
    (void)state;
    finish_with_artifact(&s, path);
    s.farm.n_jobs = 1;
    scene_begin(&s);
    assert_false(s.work);
    scene_end_attempt(&s);
    assert_int_equal(truncate(path, 5), 0);
    scene_begin(&s);
    (void)expect_line(&s, EVENT_ATTEMPT);
    scene_dispatch(&s);
    (void)expect_start(&s, 0, 0, "0");
    expect_quiet(&s);
    scene_destroy(&s);
}

/* Files that no DONE line names are deleted; files of others stay. */
static void test_unfinished_files(void **state) {
    struct scene s;
    char name[128], path[160];
    (void)state;
    scene_create(&s, 1, 1);
    (void)snprintf(name, sizeof name, "%s.safetensors", s.jobs[0].identity);
    (void)snprintf(path, sizeof path, "artifacts/00/%s", name);
    scene_write_file(&s, "artifacts/00", name);
    scene_write_file(&s, "artifacts/00", "notes.txt");
    scene_begin_first(&s);
    assert_false(scene_has_file(&s, path));
    assert_true(scene_has_file(&s, "artifacts/00/notes.txt"));
    scene_destroy(&s);
}

/* How long jobs took is read from the journal: it decides what may start under a time limit. */
static void test_times(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 1, 2);
    s.jobs[0].cost.flops = 2.0;
    s.jobs[1].cost.flops = 1.0;
    scene_begin_first(&s);
    scene_dispatch(&s);
    scene_receive_done(&s, 0, expect_start(&s, 0, 0, "0")); /* 2.5 s for a cost of 2 */
    (void)expect_job_line(&s, EVENT_DONE, 0);
    end(&s);
    s.farm.end = clock_now() + 1.2; /* 0.96 s until jobs are asked to stop; the job takes 1.25 */
    scene_begin(&s);
    (void)expect_line(&s, EVENT_ATTEMPT);
    scene_dispatch(&s);
    expect_quiet(&s);
    assert_true(coordinator_is_finished(&s.c));
    scene_destroy(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_died),     cmocka_unit_test(test_lost),
        cmocka_unit_test(test_failed),   cmocka_unit_test(test_asked_to_stop),
        cmocka_unit_test(test_artifact), cmocka_unit_test(test_unfinished_files),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_artifact_of_last_job),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
