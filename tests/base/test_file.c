#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static struct err err;

static void holds(const char *path, const char *bytes) {
    struct text t = {0};
    SUCCEEDS(file_read(&t, path, 1 << 20, &err));
    assert_string_equal(text_str(&t), bytes);
    text_release(&t);
}

static size_t files_in_scratch(void) {
    size_t n = 0;
    DIR *folder = opendir(scratch.folder);
    assert_non_null(folder);
    for (struct dirent *e; (e = readdir(folder));) n += e->d_name[0] != '.';
    (void)closedir(folder);
    return n;
}

static void a_folder_is_told_from_a_file(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    scratch_write(path, &scratch, "plain", "", 0);
    assert_true(file_is_folder(scratch.folder));
    assert_false(file_is_folder(path));
    assert_int_equal(unlink(path), 0);
    assert_false(file_is_folder(path));
}

static void replaces_and_leaves_nothing_else(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    scratch_path(path, &scratch, "a");
    assert_false(file_exists(path));
    SUCCEEDS(file_replace(path, "one", 3, &err));
    holds(path, "one");
    SUCCEEDS(file_replace(path, "", 0, &err));
    holds(path, "");
    SUCCEEDS(file_replace(path, "three", 5, &err));
    holds(path, "three");
    assert_true(file_exists(path));
    assert_int_equal(files_in_scratch(), 1);
}

static void reading_has_a_limit(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct text t = {0};
    scratch_write(path, &scratch, "five", "12345", 5);
    SUCCEEDS(file_read(&t, path, 5, &err));
    ERROR_SAYS(file_read(&t, path, 4, &err), ERR_DATA, "five: larger than 4 bytes");
    scratch_path(path, &scratch, "absent");
    ERROR_SAYS(file_read(&t, path, 5, &err), ERR_IO, "absent: cannot open: No such file");
    ERROR_SAYS(file_read(&t, scratch.folder, 5, &err), ERR_IO, "cannot read: Is a directory");
    text_release(&t);
}

/* The temporary name leads to a device without space: what a full disk looks like. */
static void a_full_disk_keeps_the_old_file(void **state) {
    (void)state;
    char path[SCRATCH_PATH], temporary[FILE_PATH_MAX];
    scratch_write(path, &scratch, "old", "old", 3);
    SUCCEEDS(file_temporary(temporary, path, &err));
    assert_int_equal(symlink("/dev/full", temporary), 0);
    ERROR_SAYS(file_replace(path, "new", 3, &err), ERR_IO, "cannot write: No space left on device");
    assert_false(file_exists(temporary));
    holds(path, "old");
}

static void an_unwritable_folder_is_named(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    const bool root = geteuid() == 0;
    scratch_path(path, &scratch, "locked");
    assert_int_equal(mkdir(path, 0500), 0);
    scratch_path(path, &scratch, "locked/file");
    if (root && seteuid(65534) != 0) skip(); /* permissions mean nothing to root */
    const enum err_code rc = file_replace(path, "x", 1, &err);
    if (root) assert_int_equal(seteuid(0), 0);
    ERROR_SAYS(rc, ERR_IO, "cannot create: Permission denied");
}

static void a_folder_that_is_missing_or_a_file(void **state) {
    (void)state;
    char path[SCRATCH_PATH], file[SCRATCH_PATH];
    scratch_path(path, &scratch, "none/file");
    ERROR_SAYS(file_replace(path, "x", 1, &err), ERR_IO, "cannot create: No such file");
    scratch_write(file, &scratch, "plain", "", 0);
    scratch_path(path, &scratch, "plain/file");
    ERROR_SAYS(file_replace(path, "x", 1, &err), ERR_IO, "cannot create: Not a directory");
    ERROR_SAYS(file_make_folder(path, &err), ERR_IO, "cannot create the folder");
    ERROR_SAYS(file_make_folder(file, &err), ERR_IO, "plain: exists and is not a folder");
    ERROR_SAYS(file_make_folder("", &err), ERR_IO, "path");
}

static void publishing_over_a_folder_fails(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    const size_t before = files_in_scratch();
    scratch_path(path, &scratch, "taken");
    SUCCEEDS(file_make_folder(path, &err));
    ERROR_SAYS(file_replace(path, "x", 1, &err), ERR_IO, "cannot rename into place");
    assert_int_equal(files_in_scratch(), before + 1); /* no temporary is left */
}

static void folders_with_their_parents(void **state) {
    (void)state;
    char path[SCRATCH_PATH], inside[SCRATCH_PATH];
    scratch_path(path, &scratch, "x/y//z/");
    SUCCEEDS(file_make_folder(path, &err));
    SUCCEEDS(file_make_folder(path, &err));
    scratch_path(inside, &scratch, "x/y/z/file");
    SUCCEEDS(file_replace(inside, "in", 2, &err));
    holds(inside, "in");
}

static void beside(const char *from, const char *path, const char *expected) {
    char out[FILE_PATH_MAX];
    SUCCEEDS(file_resolve(out, from, path, &err));
    assert_string_equal(out, expected);
}

static void paths_are_seen_from_the_file(void **state) {
    (void)state;
    char out[FILE_PATH_MAX], long_path[FILE_PATH_MAX + 8];
    beside("a/b.cfg", "m.st", "a/m.st");
    beside("a/b.cfg", "../m.st", "a/../m.st");
    beside("a/b.cfg", "/m.st", "/m.st");
    beside("b.cfg", "m.st", "m.st");
    beside("/b.cfg", "m.st", "//m.st");
    memset(long_path, 'p', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    ERROR_SAYS(file_resolve(out, "a/b", long_path, &err), ERR_CONFIG, "path too long");
    ERROR_SAYS(file_temporary(out, long_path, &err), ERR_IO, "path too long");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_told_from_a_file),
        cmocka_unit_test(replaces_and_leaves_nothing_else),
        cmocka_unit_test(reading_has_a_limit),
        cmocka_unit_test(a_full_disk_keeps_the_old_file),
        cmocka_unit_test(an_unwritable_folder_is_named),
        cmocka_unit_test(a_folder_that_is_missing_or_a_file),
        cmocka_unit_test(publishing_over_a_folder_fails),
        cmocka_unit_test(folders_with_their_parents),
        cmocka_unit_test(paths_are_seen_from_the_file),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
