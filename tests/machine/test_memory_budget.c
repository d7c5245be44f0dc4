/* The memory limit of control groups, read from a folder made like /sys/fs/cgroup. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "machine/memory_budget.h"

static const double MIB = 1024.0 * 1024.0;
static char root[] = "/tmp/test_memory_budget.XXXXXX";
static struct err err;

/* A file with its folders; path and text below root. */
static void put(const char *path, const char *text) {
    char whole[FILE_PATH_MAX];
    (void)snprintf(whole, sizeof whole, "%s/%s", root, path);
    for (char *at = whole + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        assert_int_equal(file_make_folder(whole, &err), ERR_OK);
        *at = '/';
    }
    assert_int_equal(file_replace(whole, text, strlen(text), &err), ERR_OK);
}

static double room_of(const char *groups) {
    char path[FILE_PATH_MAX], mounts[FILE_PATH_MAX];
    put("groups", groups);
    (void)snprintf(path, sizeof path, "%s/groups", root);
    (void)snprintf(mounts, sizeof mounts, "%s/mount", root);
    return memory_budget_cgroup(path, mounts) / MIB;
}

static void limits_below_the_root_count(void **state) {
    (void)state;
    put("mount/job/memory.max", "419430400\n");
    put("mount/job/memory.current", "104857600\n");
    put("mount/job/step/memory.max", "max\n");
    put("mount/job/step/memory.current", "1048576\n");
    assert_true(room_of("0::/job/step\n") == 300);
    assert_true(room_of("0::/job/step/task_0\n") == 300);
    assert_true(room_of("0::/other\n") == 0);
    assert_true(room_of("0::/\n") == 0);
    put("mount/job/step/memory.max", "209715200\n");
    assert_true(room_of("0::/job/step\n") == 199);
    assert_true(room_of("0::/job\n") == 300);
}

static void version_1_has_a_folder_of_its_own(void **state) {
    (void)state;
    put("mount/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("mount/memory/slurm/memory.limit_in_bytes", "52428800\n");
    put("mount/memory/slurm/memory.usage_in_bytes", "10485760\n");
    assert_true(room_of("9:name=systemd:/x\n4:memory:/slurm/job_1/step_0\n0::/\n") == 40);
    assert_true(room_of("7:cpu,memory,pids:/slurm\n") == 40);
    assert_true(room_of("7:cpu,memory_pressure:/slurm\n") == 0);
    assert_true(room_of("4:memory:/elsewhere\n") == 0);
    assert_true(room_of("4:memory:/slurm\n0::/job/step\n") == 40); /* the least of both */
}

/* A container sees its own group at the top, whatever the path says. */
static void the_top_counts(void **state) {
    (void)state;
    put("mount/memory.max", "10485760\n");
    put("mount/memory.current", "0\n");
    assert_true(room_of("0::/kubepods/pod1/container\n") == 10);
    assert_true(room_of("no line of this kind\n") == 0);
    assert_true(room_of("0::/../../job") == 10);
    put("mount/memory.current", "10485760\n");
    assert_true(room_of("0::/\n") == 1); /* never 0, which means no limit */
}

static void no_file_is_no_limit(void **state) {
    (void)state;
    assert_true(memory_budget_cgroup("/nonexistent", root) == 0);
}

static int make_root(void **state) {
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state) {
    char command[FILE_PATH_MAX];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_below_the_root_count),
        cmocka_unit_test(version_1_has_a_folder_of_its_own),
        cmocka_unit_test(the_top_counts),
        cmocka_unit_test(no_file_is_no_limit),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
