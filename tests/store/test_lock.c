#include <setjmp.h>
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

#include "store/lock.h"

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
    if (lock_take(&l, dir, &err) != ERR_OK) fail_msg("%s", err.msg);
    lock_release(&l);
}

static void test_busy(void **state) {
    struct lock a, b;
    struct lock_holder holder;
    struct err err;
    char pid[64];
    assert_int_equal(lock_take(&a, *state, &err), ERR_OK);
    assert_int_equal(lock_take(&b, *state, &err), ERR_CONFIG);
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

static void test_other_host(void **state) {
    struct lock l;
    struct err err;
    write_lock(*state, "node17.elsewhere", 4242, 1, 5);
    assert_int_equal(lock_take(&l, *state, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "in use by process 4242 on node17.elsewhere (Slurm job 77"));
    write_lock(*state, "node17.elsewhere", 4242, 1, LOCK_STALE + 5);
    expect_free(*state);
}

static void test_beat(void **state) {
    struct lock l;
    struct lock_holder holder;
    struct err err;
    char path[FILE_PATH_MAX];
    const struct timespec old[2] = {{time(NULL) - 50, 0}, {time(NULL) - 50, 0}};
    path_of(path, *state);
    assert_int_equal(lock_take(&l, *state, &err), ERR_OK);
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
    assert_int_equal(lock_take(&a, *state, &err), ERR_OK);
    assert_int_equal(rename(path, aside),
                     0); /* still there, so that its number is not used again */
    assert_int_equal(lock_take(&b, *state, &err), ERR_OK);
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
    assert_int_equal(lock_take(&l, "/nowhere/at/all", &err), ERR_IO);
    assert_non_null(strstr(err.msg, "/nowhere/at/all"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_busy, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_dead_process, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_other_host, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_beat, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_taken_over, make_folder, remove_folder),
        cmocka_unit_test(test_unwritable),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
