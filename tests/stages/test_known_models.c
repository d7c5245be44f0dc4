/* Models that plan has read: read once, and again when a file of theirs is another. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "stages/known_models.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static struct err err;

static void copy_shipped(char path[SCRATCH_PATH], const char *from, const char *name) {
    struct text file = {0};
    char shipped[FILE_PATH_MAX];
    const char *source = getenv("TASKVEC_SOURCE");
    (void)snprintf(shipped, sizeof shipped, "%s/experiments/%s", source ? source : ".", from);
    assert_int_equal(file_read(&file, shipped, 1 << 24, &err), ERR_OK);
    scratch_write(path, &scratch, name, file.data, file.size);
    text_release(&file);
}

/* Another content with the old stamp: only a reader notices. */
static void spoil(const char *path) {
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fwrite("spoiled!", 1, 8, f), 8);
    assert_int_equal(fclose(f), 0);
    const struct timespec times[2] = {s.st_atim, s.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void set_time(const char *path, time_t seconds) {
    const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* `model` is the path of a model, `file` the one of its files that is spoiled. */
static void check_memory(const char *model, const char *file) {
    struct job_model first, second;
    assert_int_equal(known_models_read(&first, model, &err), ERR_OK);
    assert_true(first.dims.E > 0 && first.dims.L > 0);
    spoil(file);
    assert_int_equal(known_models_read(&second, model, &err), ERR_OK);
    assert_memory_equal(&first, &second, sizeof first);
    set_time(file, 1000);
    ERROR_SAYS(known_models_read(&second, model, &err), ERR_DATA, file);
}

static void a_file_is_read_once_while_it_stays_the_same(void **state) {
    char path[SCRATCH_PATH];
    (void)state;
    copy_shipped(path, "models/linear_d5.safetensors", "model.safetensors");
    check_memory(path, path);
}

static void a_folder_is_read_once_while_its_files_stay_the_same(void **state) {
    char path[SCRATCH_PATH], config[SCRATCH_PATH];
    (void)state;
    copy_shipped(path, "text/word_model/model.safetensors", "model.safetensors");
    copy_shipped(config, "text/word_model/config.json", "config.json");
    check_memory(scratch.folder, config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_once_while_it_stays_the_same),
        cmocka_unit_test(a_folder_is_read_once_while_its_files_stay_the_same),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
