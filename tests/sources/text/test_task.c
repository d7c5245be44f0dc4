/* Task files: what is read, what is refused with its place, and how pairs are divided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sources/text/task.h"
#include "task_scene.h"
#include "twins/error_says.h"

static struct err err;

static enum err_code read_text(struct text_task *t, const char *json, enum task_form form) {
    static char path[SCRATCH_PATH];
    scratch_write(path, &scratch, "task.json", json, strlen(json));
    return task_read(t, path, form, &err);
}

static void refused(const char *json, const char *words) {
    struct text_task t;
    ERROR_SAYS(read_text(&t, json, TASK_FORWARD), ERR_DATA, words);
    assert_non_null(strstr(err.msg, "task.json"));
    assert_null(t.pairs);
}

static const struct task_pair *pair_of(const struct text_task *t, const char *x) {
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->pairs[i].x, x) == 0) return &t->pairs[i];
    fail_msg("no pair \"%s\"", x);
    return NULL;
}

#define PAIR(x, y) "{\"input\":\"" x "\",\"output\":\"" y "\"}"

static void faults_are_named_with_their_place(void **state) {
    (void)state;
    refused("{}", "expected a list of {\"input\": TEXT, \"output\": TEXT}, received an object");
    refused("[]", "the list has no pair");
    refused("[" PAIR("a", "b") ",3]", "item 2: expected {\"input\": TEXT, \"output\": TEXT}");
    refused("[" PAIR("a", "b") ",{\"input\":\"c\"}]", "item 2: no \"output\"");
    refused("[{\"Input\":\"a\",\"output\":\"b\"}]", "item 1: no \"input\"");
    refused("[{\"input\":\"a\",\"output\":\"b\",\"id\":1}]", "item 1: key \"id\"");
    refused("[{\"input\":\"a\",\"output\":\"b\",\"x\\ny\":1}]", "item 1: key \"x?y\"");
    refused("[{\"input\":\"a\",\"output\":[\"b\",\"c\"]}]", "item 1: \"output\" is a list");
    refused("[{\"input\":3,\"output\":\"b\"}]", "item 1: input: expected a text, received");
    refused("[" PAIR("", "b") "]", "item 1: \"input\" is empty");
    refused("[" PAIR("a", " \\n") "]", "item 1: \"output\" is empty");
    refused("[" PAIR("a", "b") ",]", "line 1");
    refused("[" PAIR("a", "\xff") "]", "unable to decode byte 0xff");
    refused("[" PAIR("a", "b\\u0000") "]", "task.json");
    refused("[{\"input\":\"a\",\"input\":\"b\",\"output\":\"c\"}]", "duplicate");
}

static void texts_are_kept_as_they_are(void **state) {
    struct text_task t;
    (void)state;
    SUCCEEDS(read_text(&t,
                       "[" PAIR("New York", "New") "," PAIR("New", "New York") "," PAIR(
                           "say \\\"hi\\\" \\\\", "two\\nlines ") "," PAIR(" x", "caf\\u00e9") "]",
                       TASK_FORWARD));
    assert_int_equal(t.n, 4);
    assert_string_equal(pair_of(&t, "New York")->y, "New");
    assert_string_equal(pair_of(&t, "New")->y, "New York");
    assert_string_equal(pair_of(&t, "say \"hi\" \\")->y, "two\nlines ");
    assert_string_equal(pair_of(&t, " x")->y, "caf\xc3\xa9");
    assert_int_equal(pair_of(&t, " x")->y_size, 5);
    task_release(&t);
}

/* The first answer to an input counts, whichever comes later. */
static void repeated_inputs_are_counted(void **state) {
    struct text_task t;
    (void)state;
    SUCCEEDS(read_text(
        &t, "[" PAIR("b", "1") "," PAIR("a", "2") "," PAIR("b", "3") "," PAIR("b", "1") "]",
        TASK_FORWARD));
    assert_int_equal(t.n, 2);
    assert_int_equal(t.repeated, 2);
    assert_string_equal(pair_of(&t, "b")->y, "1");
    task_release(&t);
}

static void forms_of_a_task(void **state) {
    struct text_task t;
    (void)state;
    SUCCEEDS(read_text(&t, "[" PAIR("a", "A") "," PAIR("b", "B") "]", TASK_INVERSE));
    assert_int_equal(t.n, 2);
    assert_string_equal(pair_of(&t, "A")->y, "a");
    task_release(&t);
    SUCCEEDS(read_text(&t, "[" PAIR("a", "A") "," PAIR("b", "B") "]", TASK_BIJECTION));
    assert_int_equal(t.n, 4);
    assert_int_equal(pair_of(&t, "a")->part, pair_of(&t, "A")->part);
    assert_int_equal(pair_of(&t, "b")->part, pair_of(&t, "B")->part);
    assert_true(task_reveals(pair_of(&t, "a"), pair_of(&t, "A")));
    assert_false(task_reveals(pair_of(&t, "a"), pair_of(&t, "B")));
    task_release(&t);
}

static void parts_are_70_9_and_21_percent(void **state) {
    struct text_task t, other;
    char path[SCRATCH_PATH], again[SCRATCH_PATH];
    (void)state;
    scene_task("many.json", 100000, false);
    scene_task("reversed.json", 100000, true);
    scratch_path(path, &scratch, "many.json");
    scratch_path(again, &scratch, "reversed.json");
    const clock_t begin = clock();
    SUCCEEDS(task_read(&t, path, TASK_FORWARD, &err));
    const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    if (seconds > 10) fail_msg("100,000 pairs took %.1f s", seconds);
    assert_int_equal(t.n, 100000);
    assert_in_range(task_count(&t, SOURCE_TRAIN), 69500, 70500);
    assert_in_range(task_count(&t, SOURCE_VALIDATION), 8700, 9300);
    assert_in_range(task_count(&t, SOURCE_TEST), 20600, 21400);
    SUCCEEDS(task_read(&other, again, TASK_FORWARD, &err));
    for (size_t i = 0; i < t.n; i++) {
        assert_string_equal(t.pairs[i].x, other.pairs[i].x);
        assert_int_equal(t.pairs[i].part, other.pairs[i].part);
    }
    task_release(&t);
    task_release(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_named_with_their_place),
        cmocka_unit_test(texts_are_kept_as_they_are),
        cmocka_unit_test(repeated_inputs_are_counted),
        cmocka_unit_test(forms_of_a_task),
        cmocka_unit_test(parts_are_70_9_and_21_percent),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
