#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/journal.h"
#include "twins/scratch.h"

/* A disk that is full in the middle of a line, and one that fails once: what was added before is
 * there, nothing is damaged, and the journal of a disk that recovers holds every line. */
static void test_journal(void **state) {
    (void)state;
    static const int ERRORS[] = {ENOSPC, EIO};
    for (size_t i = 0; i < 2; i++) {
        struct journal j;
        struct text data = {0};
        struct err err = {0};
        struct scratch scratch;
        scratch_create(&scratch);
        const char *dir = scratch.folder;
        assert_int_equal(journal_open(&j, dir, &err), ERR_OK);
        journal_add(&j, "whole\n", 6);
        assert_int_equal(journal_sync(&j, &err), ERR_OK);
        j.disk = (struct disk){.error = ERRORS[i], .torn = true};
        journal_add(&j, "abcdefgh\n", 9);
        assert_int_equal(journal_sync(&j, &err), ERR_IO);
        assert_non_null(strstr(err.msg, strerror(ERRORS[i])));
        assert_int_equal(journal_sync(&j, &err), ERRORS[i] == ENOSPC ? ERR_IO : ERR_OK);
        j.disk = (struct disk){0};
        journal_add(&j, "more\n", 5);
        assert_int_equal(journal_close(&j, &err), ERR_OK);
        assert_int_equal(journal_read(&data, dir, &err), ERR_OK);
        assert_non_null(strstr(text_str(&data), "\nwhole\nabcdefgh\nmore\n"));
        text_release(&data);
        scratch_destroy(&scratch);
    }
}

static void test_file(void **state) {
    (void)state;
    struct err err = {0};
    const struct disk full = {.error = ENOSPC}, good = {0};
    assert_int_equal(disk_file(&good, "x", &err), ERR_OK);
    assert_int_equal(disk_file(&full, "folder/x", &err), ERR_IO);
    assert_string_equal(err.msg, "folder/x: cannot write: No space left on device");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_journal), cmocka_unit_test(test_file)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
