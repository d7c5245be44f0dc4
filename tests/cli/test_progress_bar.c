/* What a bar and a line of progress hold, and when lines are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/progress_bar.h"

/* The first line after a second, then after times that double, then every 5 min. */
static void test_lines_grow_rarer(void **state) {
    double at = progress_next_line(0.0);
    int lines = 1;
    (void)state;
    assert_true(at == 1.0);
    for (; at < 3600.0; lines++) {
        const double next = progress_next_line(at);
        assert_true(next - at == (at < 300.0 ? at : 300.0));
        at = next;
    }
    assert_in_range(lines, 15, 25);
}

static void test_form(void **state) {
    enum progress_form form;
    struct err err = {0};
    (void)state;
    assert_int_equal(progress_form_read(&form, NULL, false, &err), ERR_OK);
    assert_int_equal(form, PROGRESS_AUTO);
    assert_int_equal(progress_form_read(&form, NULL, true, &err), ERR_OK);
    assert_int_equal(form, PROGRESS_NONE);
    assert_int_equal(progress_form_read(&form, "lines", true, &err), ERR_OK);
    assert_int_equal(form, PROGRESS_LINES);
    assert_int_equal(progress_form_read(&form, "bar", false, &err), ERR_OK);
    assert_int_equal(form, PROGRESS_BAR);
    assert_int_equal(progress_form_read(&form, "dots", false, &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "--progress dots: expected auto, bar, lines or none"));
}

static void test_text(void **state) {
    const struct farm_progress p = {
        .jobs = 40, .done = 12, .running = 2, .failed = 1, .eta = 185.0, .fraction = 0.5};
    struct text out = {0};
    (void)state;
    progress_bar_text(&out, &p, 4);
    assert_string_equal(text_str(&out),
                        "[##  ] 50%, 12 of 40 jobs done, 2 running, 1 failed, 3 min 05 s to go");
    text_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_grow_rarer),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
