#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/event.h"
#include "journal/journal.h"
#include "twins/scratch_group.h"

static void add_end(struct journal *j, int64_t code) {
    struct text line = {0};
    event_begin(&line, EVENT_ATTEMPT);
    event_integer(&line, "number", code);
    event_end(&line);
    journal_add(j, line.data, line.size);
    text_release(&line);
}

static void append_raw(const char *dir, const char *bytes) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/journal", dir);
    const int fd = open(path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
    close(fd);
}

static void test_append_and_read(void **state) {
    struct journal j;
    struct err err;
    struct history h = {0};
    assert_int_equal(journal_history(&h, *state, &err), ERR_OK); /* none yet: an empty one */
    assert_int_equal(h.n_attempts, 0);
    history_release(&h);
    for (int64_t i = 1; i <= 3; i++) {
        assert_int_equal(journal_open(&j, *state, &err), ERR_OK);
        assert_int_equal(j.lines, i); /* the first line names the format */
        add_end(&j, i);
        assert_int_equal(journal_close(&j, &err), ERR_OK);
        assert_int_equal(journal_close(&j, &err), ERR_OK);
    }
    assert_int_equal(journal_history(&h, *state, &err), ERR_OK);
    assert_int_equal(h.version, EVENT_VERSION);
    assert_int_equal(h.n_attempts, 3);
    assert_int_equal(h.attempts[2].number, 3);
    history_release(&h);
}

/* What a kill cut in two is ignored by readers and cut off by the next writer. */
static void test_torn_tail(void **state) {
    struct journal j;
    struct err err;
    struct history h = {0};
    assert_int_equal(journal_open(&j, *state, &err), ERR_OK);
    add_end(&j, 1);
    assert_int_equal(journal_close(&j, &err), ERR_OK);
    append_raw(*state, "0123456789abcdef\tatte");
    assert_int_equal(journal_history(&h, *state, &err), ERR_OK);
    assert_true(h.torn);
    assert_int_equal(h.n_attempts, 1);
    history_release(&h);
    assert_int_equal(journal_open(&j, *state, &err), ERR_OK);
    assert_int_equal(j.lines, 2);
    add_end(&j, 2);
    assert_int_equal(journal_close(&j, &err), ERR_OK);
    assert_int_equal(journal_history(&h, *state, &err), ERR_OK);
    assert_false(h.torn);
    assert_int_equal(h.damaged, 0);
    assert_int_equal(h.n_attempts, 2);
    history_release(&h);
}

static void test_damaged_line(void **state) {
    struct journal j;
    struct err err;
    struct history h = {0};
    assert_int_equal(journal_open(&j, *state, &err), ERR_OK);
    assert_int_equal(journal_sync(&j, &err), ERR_OK);
    append_raw(*state, "what is this\n");
    add_end(&j, 1);
    assert_int_equal(journal_close(&j, &err), ERR_OK);
    assert_int_equal(journal_history(&h, *state, &err), ERR_OK);
    assert_int_equal(h.damaged, 1);
    assert_int_equal(h.lines, 3);
    assert_int_equal(h.n_attempts, 1);
    history_release(&h);
}

/* What a later version wrote is neither read nor written to, and not a byte of it is touched. */
static void test_later_version(void **state) {
    struct journal j;
    struct err err;
    struct history h = {0};
    struct text line = {0}, before = {0}, after = {0};
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/journal", (const char *)*state);
    event_begin(&line, EVENT_JOURNAL);
    event_integer(&line, "version", EVENT_VERSION + 1);
    event_end(&line);
    text_add(&line, "what it says there\nand a torn end");
    assert_int_equal(file_replace(path, line.data, line.size, &err), ERR_OK);
    assert_int_equal(file_read(&before, path, 1000, &err), ERR_OK);
    assert_int_equal(journal_history(&h, *state, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "written in format 2, this taskvec knows formats up to 1"));
    assert_int_equal(h.n_jobs, 0);
    assert_int_equal(journal_open(&j, *state, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "written in format 2"));
    assert_int_equal(file_read(&after, path, 1000, &err), ERR_OK);
    assert_string_equal(text_str(&before), text_str(&after));
    text_release(&line);
    text_release(&before);
    text_release(&after);
}

static void test_errors(void **state) {
    (void)state;
    struct journal j;
    struct err err;
    assert_int_equal(journal_open(&j, "/nowhere/at/all", &err), ERR_IO);
    assert_non_null(strstr(err.msg, "/nowhere/at/all/journal: cannot open"));
}

/* A full disk: the lines stay in the buffer, the error says where. */
static void test_full(void **state) {
    struct journal j;
    struct err err;
    assert_int_equal(journal_open(&j, *state, &err), ERR_OK);
    close(j.fd);
    j.fd = open("/dev/full", O_WRONLY);
    assert_true(j.fd >= 0);
    add_end(&j, 1);
    assert_int_equal(journal_tick(&j, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "cannot write"));
    assert_true(j.buffer.size > 0);
    assert_int_equal(journal_close(&j, &err), ERR_IO);
}

/* Lines written to a file without a name, or with another's, are lost; nothing else would say. */
static void test_deleted_or_replaced(void **state) {
    struct journal j;
    struct err err;
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/journal", (const char *)*state);
    for (int replaced = 0; replaced <= 1; replaced++) {
        assert_int_equal(journal_open(&j, *state, &err), ERR_OK);
        add_end(&j, 1);
        assert_int_equal(journal_sync(&j, &err), ERR_OK);
        if (replaced)
            assert_int_equal(file_replace(path, "another\n", 8, &err), ERR_OK);
        else
            assert_int_equal(unlink(path), 0);
        j.last_sync -= 1.0; /* seconds; the next tick syncs */
        assert_int_equal(journal_tick(&j, &err), ERR_IO);
        assert_non_null(strstr(err.msg, "/journal: it was deleted or replaced while this run"));
        assert_int_equal(journal_close(&j, &err), ERR_IO);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_append_and_read, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_torn_tail, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_damaged_line, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_later_version, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_full, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_deleted_or_replaced, scratch_begin, scratch_end),
        cmocka_unit_test(test_errors),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
