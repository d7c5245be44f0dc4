#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "par/child_stderr.h"

/* Writes a text as a child would, while our own standard error goes to `aside`. */
static void write_stderr(struct child_stderr *w, const char *text, int aside) {
    struct err err;
    int end;
    const int own = dup(STDERR_FILENO);
    assert_int_equal(child_stderr_open(w, &end, &err), ERR_OK);
    assert_int_equal(write(end, text, strlen(text)), strlen(text));
    close(end);
    (void)dup2(aside, STDERR_FILENO);
    child_stderr_read(w);
    (void)dup2(own, STDERR_FILENO);
    close(own);
}

static void expect(const char *text, const char *reason) {
    char out[256] = "it died", passed[4096] = "";
    struct child_stderr w;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    write_stderr(&w, text, ends[1]);
    child_stderr_append(out, sizeof out, &w);
    assert_string_equal(out, reason);
    close(ends[1]);
    assert_int_equal(read(ends[0], passed, sizeof passed - 1), strlen(text));
    assert_string_equal(passed, text);
    close(ends[0]);
    child_stderr_release(&w);
    child_stderr_release(&w);
}

static void test_tail(void **state) {
    (void)state;
    expect("", "it died");
    expect("\n \t\n", "it died");
    expect("free(): invalid pointer\n", "it died; its stderr ends: free(): invalid pointer");
    expect("one\ntwo\x01\xff three\n", "it died; its stderr ends: one two   three");
}

/* The tail of a long output. */
static void test_long(void **state) {
    (void)state;
    char text[1001], wanted[256];
    for (size_t i = 0; i < 1000; i++) text[i] = (char)('a' + i % 26);
    text[1000] = '\0';
    (void)snprintf(wanted, sizeof wanted, "it died; its stderr ends: %s",
                   text + 1000 - STDERR_TAIL);
    expect(text, wanted);
}

/* Reading never waits, and a reason that is full stays as it is. */
static void test_nothing(void **state) {
    (void)state;
    char reason[8] = "it died";
    struct child_stderr w;
    struct err err;
    int end;
    assert_int_equal(child_stderr_open(&w, &end, &err), ERR_OK);
    child_stderr_read(&w);
    assert_int_equal(w.n, 0);
    memcpy(w.tail, "x", w.n = 1);
    child_stderr_append(reason, sizeof reason, &w);
    assert_string_equal(reason, "it died");
    close(end);
    child_stderr_release(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tail), cmocka_unit_test(test_long),
                                       cmocka_unit_test(test_nothing)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
