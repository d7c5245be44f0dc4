#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/tables/text_table.h"

static void fill(struct text_table *s) {
    assert_int_equal(text_table_init(s, 2, NULL), ERR_OK);
    text_table_align_right(s, 1);
    const char *const cells[] = {"method", "k", "ltv, \"heads\"", "3", "a|b", "12"};
    for (size_t i = 0; i < 6; i++) text_table_cell(s, "%s", cells[i]);
    assert_int_equal(s->rows, 2);
}

static void check(enum text_table_format format, const char *want) {
    struct text_table s;
    struct text out = {0};
    fill(&s);
    assert_int_equal(text_table_print(&out, &s, format, NULL), ERR_OK);
    assert_string_equal(text_str(&out), want);
    text_release(&out);
    text_table_release(&s);
}

static void text_is_aligned(void **state) {
    (void)state;
    check(SHEET_TEXT, "method         k\nltv, \"heads\"   3\na|b           12\n");
}

static void csv_is_rfc_4180(void **state) {
    (void)state;
    check(SHEET_CSV, "method,k\r\n\"ltv, \"\"heads\"\"\",3\r\na|b,12\r\n");
}

static void markdown_escapes_bars(void **state) {
    (void)state;
    check(SHEET_MARKDOWN,
          "| method | k |\n| --- | ---: |\n| ltv, \"heads\" | 3 |\n| a\\|b | 12 |\n");
}

static void formats_are_named(void **state) {
    (void)state;
    enum text_table_format f;
    struct err err = {0};
    assert_int_equal(text_table_format_read(&f, "markdown", &err), ERR_OK);
    assert_int_equal(f, SHEET_MARKDOWN);
    assert_int_equal(text_table_format_read(&f, "pdf", &err), ERR_USAGE);
    assert_string_equal(err.msg, "--format pdf: unknown; use text, csv or markdown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_aligned),
        cmocka_unit_test(csv_is_rfc_4180),
        cmocka_unit_test(markdown_escapes_bars),
        cmocka_unit_test(formats_are_named),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
