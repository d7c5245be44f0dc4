/* Tasks that a process has read: read once, again where the file or the form is another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sources/text/shared_task.h"
#include "task_scene.h"
#include "twins/error_says.h"

static struct err err;

static const struct text_task *open_task(const char *name, enum task_form form) {
    const struct text_task *t = NULL;
    char path[SCRATCH_PATH];
    scratch_path(path, &scratch, name);
    assert_int_equal(shared_task_open(&t, path, form, &err), ERR_OK);
    return t;
}

static void a_file_is_read_once(void **state) {
    (void)state;
    scene_task("once.json", 30, false);
    const struct text_task *first = open_task("once.json", TASK_FORWARD);
    shared_task_close(first);
    const struct text_task *second = open_task("once.json", TASK_FORWARD);
    assert_ptr_equal(first, second);
    const struct text_task *third = open_task("once.json", TASK_FORWARD);
    assert_ptr_equal(first, third);
    const struct text_task *inverse = open_task("once.json", TASK_INVERSE);
    assert_ptr_not_equal(inverse, first);
    assert_int_equal(inverse->n, 30);
    shared_task_close(inverse);
    shared_task_close(third);
    shared_task_close(second);
}

/* The task of a source that is still open stays as it is. */
static void a_file_that_is_written_is_read_again(void **state) {
    (void)state;
    scene_task("again.json", 30, false);
    const struct text_task *old = open_task("again.json", TASK_FORWARD);
    scene_task("again.json", 31, false);
    const struct text_task *now = open_task("again.json", TASK_FORWARD);
    assert_int_equal(old->n, 30);
    assert_int_equal(now->n, 31);
    assert_string_not_equal(old->content, now->content);
    shared_task_close(old);
    shared_task_close(now);
}

static void the_path_is_a_copy_and_errors_are_not_remembered(void **state) {
    const struct text_task *t = NULL;
    char path[SCRATCH_PATH];
    (void)state;
    scratch_path(path, &scratch, "late.json");
    ERROR_SAYS(shared_task_open(&t, path, TASK_FORWARD, &err), ERR_IO, "late.json");
    scene_task("late.json", 30, false);
    assert_int_equal(shared_task_open(&t, path, TASK_FORWARD, &err), ERR_OK);
    memset(path, 'x', 10);
    assert_non_null(strstr(t->path, "/late.json"));
    shared_task_close(t);
    shared_task_close(NULL);
}

/* More pairs than are kept of tasks that nobody uses. */
static void a_large_task_is_shared_while_it_is_in_use(void **state) {
    (void)state;
    scene_task("large.json", 70000, false);
    scene_task("small.json", 30, false);
    const struct text_task *large = open_task("large.json", TASK_FORWARD);
    const struct text_task *also = open_task("large.json", TASK_FORWARD);
    assert_ptr_equal(large, also);
    shared_task_close(also);
    shared_task_close(open_task("small.json", TASK_FORWARD));
    assert_int_equal(large->n, 70000);
    assert_string_equal(large->pairs[0].x + 1, large->pairs[0].y + 1);
    shared_task_close(large);
    shared_task_close(open_task("small.json", TASK_FORWARD));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_once),
        cmocka_unit_test(a_file_that_is_written_is_read_again),
        cmocka_unit_test(the_path_is_a_copy_and_errors_are_not_remembered),
        cmocka_unit_test(a_large_task_is_shared_while_it_is_in_use),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
