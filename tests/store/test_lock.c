#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/lock.h"

/* In place of LOCK_STALE: seconds after which a lock of another host is stale. */
static const double SILENCE = 1.0;

static int make_folder(void **state) {
    char name[] = "/tmp/taskvec_lock_XXXXXX";
    *state = mkdtemp(name) ? text_copy(name) : NULL;
    return *state ? 0 : -1;
}

static void path_of(char out[FILE_PATH_MAX], const char *dir) {
    (void)snprintf(out, FILE_PATH_MAX, "%s/lock", dir);
}

static int remove_folder(void **state) {
    char path[FILE_PATH_MAX];
    path_of(path, *state);
    (void)unlink(path);
    const int left = rmdir(*state); /* fails if anything else was left behind */
    free(*state);
    return left;
}

static void write_lock(const char *dir, const char *host, long pid, unsigned long long born,
                       time_t age) {
    char path[FILE_PATH_MAX];
    path_of(path, dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, "host %s\npid %ld\nborn %llu\nslurm 77\nstarted 2020-01-01T00:00:00Z\n", host,
                  pid, born);
    fclose(f);
    const struct timespec times[2] = {{time(NULL) - age, 0}, {time(NULL) - age, 0}};
    assert_int_equal(utimensat(0, path, times, 0), 0);
}

static void expect_free(const char *dir) {
    struct lock l;
    struct err err = {0};
    if (lock_take(&l, dir, SILENCE, &err) != ERR_OK) fail_msg("%s", err.msg);
    lock_release(&l);
}

static void test_busy(void **state) {
    struct lock a, b;
    struct lock_holder holder;
    struct err err;
    char pid[64];
    assert_int_equal(lock_take(&a, *state, SILENCE, &err), ERR_OK);
    assert_int_equal(lock_take(&b, *state, SILENCE, &err), ERR_CONFIG);
    (void)snprintf(pid, sizeof pid, "in use by process %ld on ", (long)getpid());
    assert_non_null(strstr(err.msg, pid));
    lock_look(&holder, *state);
    assert_true(holder.alive);
    assert_int_equal(holder.pid, getpid());
    lock_release(&b); /* holds nothing, takes nothing away */
    lock_look(&holder, *state);
    assert_true(holder.alive);
    lock_release(&a);
    lock_look(&holder, *state);
    assert_false(holder.alive);
    expect_free(*state);
}

static void test_dead_process(void **state) {
    struct lock_holder holder;
    char host[128] = "";
    (void)gethostname(host, sizeof host - 1);
    const pid_t child = fork();
    if (child == 0) _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    write_lock(*state, host, child, 12345, 0);
    lock_look(&holder, *state);
    assert_false(holder.alive);
    expect_free(*state);
    write_lock(*state, host, getpid(), 1, 0); /* our pid, but of a process that started earlier */
    expect_free(*state);
}

/* Killed, and its parent has not looked: a zombie still has an entry with its start in /proc. */
static void test_killed_process(void **state) {
    struct lock l;
    struct lock_holder holder;
    siginfo_t info;
    const pid_t child = fork();
    if (child == 0) {
        if (lock_take(&l, *state, SILENCE, NULL) == ERR_OK) (void)raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_status, SIGKILL);
    lock_look(&holder, *state);
    assert_int_equal(holder.pid, child);
    assert_false(holder.alive);
    expect_free(*state);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* The holder on another host, whose clock is `skew` seconds off ours: touches the lock every 0.3 s
 * for as long as this process lives. */
static pid_t begin_beating(const char *dir, time_t skew) {
    char path[FILE_PATH_MAX];
    path_of(path, dir);
    const pid_t child = fork();
    if (child != 0) return child;
    for (;;) {
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        const struct timespec times[2] = {{now.tv_sec + skew, now.tv_nsec},
                                          {now.tv_sec + skew, now.tv_nsec}};
        (void)utimensat(0, path, times, 0);
        clock_sleep(0.3);
    }
}

static const time_t SKEWS[] = {0, 3 * 3600, -3 * 3600}; /* equal, ahead, behind */
enum { N_SKEWS = sizeof SKEWS / sizeof *SKEWS };

/* A continuing heartbeat keeps the lock, whatever the clock of its node says. */
static void test_other_host_alive(void **state) {
    struct lock l;
    struct err err;
    for (size_t i = 0; i < N_SKEWS; i++) {
        write_lock(*state, "node17.elsewhere", 4242, 1, -SKEWS[i]);
        const pid_t holder = begin_beating(*state, SKEWS[i]);
        const enum err_code rc = lock_take(&l, *state, SILENCE, &err);
        (void)kill(holder, SIGKILL);
        (void)waitpid(holder, NULL, 0);
        if (rc != ERR_CONFIG) fail_msg("clock %+ld s off: code %d", (long)SKEWS[i], (int)rc);
        assert_non_null(
            strstr(err.msg, "in use by process 4242 on node17.elsewhere (Slurm job 77"));
    }
}

/* A silent one is stale after SILENCE seconds of watching, not before, whatever its time says. */
static void test_other_host_silent(void **state) {
    for (size_t i = 0; i < N_SKEWS; i++) {
        const double began = clock_now();
        write_lock(*state, "node17.elsewhere", 4242, 1, -SKEWS[i]);
        expect_free(*state);
        if (clock_now() - began < SILENCE)
            fail_msg("clock %+ld s off: taken after %.3f s of %.3f", (long)SKEWS[i],
                     clock_now() - began, SILENCE);
    }
}

/* A look compares clocks, for want of better; whoever looks again sees the beat move. */
static void test_watch(void **state) {
    struct lock_watch watch = {0};
    struct lock_holder holder;
    write_lock(*state, "node17.elsewhere", 4242, 1, 3 * 3600);
    lock_look_again(&holder, &watch, *state);
    assert_true(holder.there && holder.elsewhere && !holder.alive);
    lock_look_again(&holder, &watch, *state);
    assert_false(holder.alive); /* nothing moved */
    write_lock(*state, "node17.elsewhere", 4242, 1, 3 * 3600 - 5);
    lock_look_again(&holder, &watch, *state);
    assert_true(holder.alive);
    assert_true(holder.silent < 5.0);
    lock_look_again(&holder, &watch, *state);
    assert_true(holder.alive);
    watch.moved -= LOCK_STALE + 1.0;
    lock_look_again(&holder, &watch, *state);
    assert_false(holder.alive);
    write_lock(*state, "node17.elsewhere", 4242, 1, 5);
    lock_look(&holder, *state);
    assert_true(holder.alive);
}

static void test_beat(void **state) {
    struct lock l;
    struct lock_holder holder;
    struct err err;
    char path[FILE_PATH_MAX];
    const struct timespec old[2] = {{time(NULL) - 50, 0}, {time(NULL) - 50, 0}};
    path_of(path, *state);
    assert_int_equal(lock_take(&l, *state, SILENCE, &err), ERR_OK);
    assert_int_equal(utimensat(0, path, old, 0), 0);
    l.last_beat -= 100.0;
    assert_int_equal(lock_beat(&l, &err), ERR_OK);
    lock_look(&holder, *state);
    assert_true(holder.silent < 10.0);
    (void)unlink(path);
    l.last_beat -= 100.0;
    assert_int_equal(lock_beat(&l, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "the lock of this run is gone"));
    lock_release(&l);
}

/* As after a run was suspended for so long that another took its place. */
static void test_taken_over(void **state) {
    struct lock a, b;
    struct lock_holder holder;
    struct err err;
    char path[FILE_PATH_MAX], aside[FILE_PATH_MAX + 8];
    path_of(path, *state);
    (void)snprintf(aside, sizeof aside, "%s.aside", path);
    assert_int_equal(lock_take(&a, *state, SILENCE, &err), ERR_OK);
    assert_int_equal(rename(path, aside),
                     0); /* still there, so that its number is not used again */
    assert_int_equal(lock_take(&b, *state, SILENCE, &err), ERR_OK);
    a.last_beat -= 100.0;
    assert_int_equal(lock_beat(&a, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "another run has taken its place"));
    assert_false(a.held);
    lock_release(&a);
    lock_look(&holder, *state);
    assert_true(holder.alive);
    lock_release(&b);
    assert_int_equal(unlink(aside), 0);
}

static void test_unwritable(void **state) {
    (void)state;
    struct lock l;
    struct err err;
    assert_int_equal(lock_take(&l, "/nowhere/at/all", SILENCE, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "/nowhere/at/all"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_busy, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_dead_process, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_killed_process, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_other_host_alive, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_other_host_silent, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_watch, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_beat, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_taken_over, make_folder, remove_folder),
        cmocka_unit_test(test_unwritable),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
