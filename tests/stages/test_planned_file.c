/* Tasks and folders that change while a job runs fail it; tests/cli/check_planned_files.sh does the
 * same with models of whole runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "stages/planned_file.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static struct err err;

static void write_to(const char *name, const char *content) {
    char path[SCRATCH_PATH];
    scratch_write(path, &scratch, name, content, strlen(content));
}

static void other_content_is_an_error(const char *path, const char *changed) {
    char hash[HASH_HEX];
    const struct job_file file = {path, hash};
    const struct job_ctx ctx = {.files = &file, .n_files = 1};
    SUCCEEDS(hash_path(hash, path, &err));
    SUCCEEDS(planned_files_recheck(&ctx, &err));
    SUCCEEDS(planned_files_recheck(&ctx, &err));
    write_to(changed, "[{\"input\":\"a\",\"output\":\"other\"}]");
    ERROR_SAYS(planned_files_recheck(&ctx, &err), ERR_DATA, "other content than when the run");
    assert_non_null(strstr(err.msg, path));
}

static void a_task(void **state) {
    char path[SCRATCH_PATH];
    (void)state;
    write_to("task.json", "[{\"input\":\"a\",\"output\":\"b\"}]");
    scratch_path(path, &scratch, "task.json");
    other_content_is_an_error(path, "task.json");
    remove(path);
}

static void a_folder(void **state) {
    (void)state;
    write_to("config.json", "{}");
    write_to("vocab.json", "{}");
    other_content_is_an_error(scratch.folder, "vocab.json");
}

static void a_task_that_is_gone(void **state) {
    const struct job_file file = {"none.json", "0"};
    const struct job_ctx ctx = {.files = &file, .n_files = 1};
    (void)state;
    ERROR_SAYS(planned_files_recheck(&ctx, &err), ERR_DATA, "none.json");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task),
        cmocka_unit_test(a_folder),
        cmocka_unit_test(a_task_that_is_gone),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
