/* Stamps: another file, another content, another time or another entry make another one. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file_stamp.h"
#include "twins/scratch_group.h"

static void stamp(char out[HASH_HEX], const char *path) {
    struct hash h;
    hash_begin(&h);
    file_stamp_add(&h, path);
    hash_end(out, &h);
}

static void stamp_folder(char out[HASH_HEX]) {
    struct hash h;
    hash_begin(&h);
    file_stamp_add_folder(&h, scratch.folder);
    hash_end(out, &h);
}

static void set_time(const char *path, time_t seconds) {
    const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void a_file_that_is_written_has_another_stamp(void **state) {
    char path[SCRATCH_PATH], first[HASH_HEX], second[HASH_HEX];
    (void)state;
    scratch_write(path, &scratch, "a.json", "one", 3);
    set_time(path, 1000);
    stamp(first, path);
    stamp(second, path);
    assert_string_equal(first, second);
    set_time(path, 1001);
    stamp(second, path);
    assert_string_not_equal(first, second);
    scratch_write(path, &scratch, "a.json", "four", 4);
    set_time(path, 1000);
    stamp(second, path);
    assert_string_not_equal(first, second);
    assert_int_equal(unlink(path), 0);
    stamp(second, path);
    assert_string_not_equal(first, second);
}

static void a_folder_has_the_stamps_of_its_files(void **state) {
    char path[SCRATCH_PATH], first[HASH_HEX], second[HASH_HEX];
    (void)state;
    scratch_write(path, &scratch, "b.json", "one", 3);
    set_time(path, 1000);
    set_time(scratch.folder, 1000);
    stamp_folder(first);
    stamp_folder(second);
    assert_string_equal(first, second);
    set_time(path, 1001); /* the folder's own time stays */
    stamp_folder(second);
    assert_string_not_equal(first, second);
    set_time(path, 1000);
    scratch_write(path, &scratch, "c.json", "one", 3);
    set_time(scratch.folder, 1000);
    stamp_folder(second);
    assert_string_not_equal(first, second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_written_has_another_stamp),
        cmocka_unit_test(a_folder_has_the_stamps_of_its_files),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
