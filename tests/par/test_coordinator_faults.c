/* Injected faults that strike the coordinator: at which line, and what is on the disk after them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "par/coordinator_scene.h"

/* The journal of an undisturbed run of two jobs: 0 journal, 1 attempt, 2 start, 3 start, 4 done,
 * 5 done. */
static enum err_code run_two(struct scene *s) {
    enum err_code rc = ERR_OK;
    struct err *err = &s->err;
    const struct message_done done = {.share = 1.0};
    TRY(coordinator_begin(&s->c, &s->work, err));
    TRY(coordinator_dispatch(&s->c, err));
    for (int rank = 0; rank < 2; rank++) {
        const struct message_head head = {
            .kind = MESSAGE_DONE, .serial = (uint64_t)rank + 1, .size = sizeof done};
        TRY(coordinator_receive(&s->c, rank, &head, &done, err));
    }
    TRY(journal_flush(&s->c.journal, err));
cleanup:
    return rc;
}

static void create_two(struct scene *s, const char *spec) {
    scene_create(s, 2, 2);
    assert_int_equal(setenv("TASKVEC_INJECT", spec, 1), 0);
    s->c = (struct coordinator){.f = &s->farm,
                                .par = &s->par,
                                .transport = &s->transport.base,
                                .own_child = &s->child,
                                .journal.fd = -1};
}

static size_t count_lines(struct scene *s, bool *torn) {
    size_t n = 0;
    scene_read_journal(s);
    for (size_t i = 0; i < s->text.size; i++) n += s->text.data[i] == '\n';
    *torn = s->text.size > 0 && s->text.data[s->text.size - 1] != '\n';
    return n;
}

/* In a process of its own, which the fault kills by SIGKILL. */
static void expect_killed(const char *spec, size_t lines, bool torn_wanted) {
    struct scene s;
    bool torn;
    int status;
    create_two(&s, spec);
    const pid_t pid = fork();
    if (pid == 0) _exit(run_two(&s) == ERR_OK ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)unsetenv("TASKVEC_INJECT");
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("%s: wait status %#x, expected SIGKILL", spec, (unsigned)status);
    const size_t found = count_lines(&s, &torn);
    if (found != lines || torn != torn_wanted)
        fail_msg("%s: %zu lines, torn %d; expected %zu, %d", spec, found, torn, lines, torn_wanted);
    scene_destroy(&s);
}

static void test_kills(void **state) {
    (void)state;
    expect_killed("kill-all@event:1", 2, false);
    expect_killed("kill-all@event:4", 5, false);
    expect_killed("kill-coordinator@event:5", 6, false);
    expect_killed("torn-journal@event:3", 3, true);
    expect_killed("kill-all@job:0", 3, false);
    expect_killed("kill-coordinator@job:1", 4, false);
}

/* A failing disk: the line is not written, the error names the journal. */
static void expect_io_error(const char *spec, const char *words, size_t lines, bool torn_wanted) {
    struct scene s;
    bool torn;
    create_two(&s, spec);
    assert_int_equal(run_two(&s), ERR_IO);
    assert_non_null(strstr(s.err.msg, words));
    (void)unsetenv("TASKVEC_INJECT");
    scene_end_attempt(&s);
    assert_int_equal(count_lines(&s, &torn), lines);
    assert_int_equal(torn, torn_wanted);
    scene_destroy(&s);
}

static void test_disk(void **state) {
    (void)state;
    expect_io_error("enospc@event:3", "journal: cannot write: No space left on device", 3, true);
    expect_io_error("enospc@event:1", "journal: cannot write: No space left on device", 1, true);
}

/* Only the wall clock jumps, ahead and then behind; the run does not notice. */
static void test_clock_jump(void **state) {
    struct scene s;
    const double offset = clock_offset();
    (void)state;
    create_two(&s, "clock-jump@event:2,clock-jump@event:4");
    MUST_SUCCEED(&s, run_two(&s));
    assert_true(clock_offset() == -5 * 3600.0);
    assert_true(coordinator_is_finished(&s.c));
    clock_set_offset(offset);
    (void)unsetenv("TASKVEC_INJECT");
    scene_destroy(&s);
}

/* A kind, or a job, that does not exist is refused before anything is begun. */
static void test_refused(void **state) {
    static const char *const SPECS[] = {"flood@job:1", "kill@job:2", "oom@event:1", "kill@job"};
    (void)state;
    for (size_t i = 0; i < sizeof SPECS / sizeof *SPECS; i++) {
        struct scene s;
        create_two(&s, SPECS[i]);
        assert_int_equal(coordinator_begin(&s.c, &s.work, &s.err), ERR_USAGE);
        assert_non_null(strstr(s.err.msg, SPECS[i]));
        assert_false(scene_has_file(&s, "journal"));
        (void)unsetenv("TASKVEC_INJECT");
        scene_destroy(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_disk),
        cmocka_unit_test(test_clock_jump),
        cmocka_unit_test(test_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
