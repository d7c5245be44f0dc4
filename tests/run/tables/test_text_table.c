#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/tables/text_table.h"

enum { COLUMNS = 4 };

/* A key, then three numbers that may be left out: b first, then c, then a. */
static void fill(struct text_table *t, bool titles) {
    static const char *const cells[] = {"method", "a", "b", "c", "ltv",  "1",
                                        "2.50",   "3", "é", "",  "17.5", "4"};
    static const int ranks[COLUMNS] = {0, 1, 9, 5};
    assert_int_equal(text_table_init(t, COLUMNS, NULL), ERR_OK);
    for (size_t c = 0; c < COLUMNS; c++) {
        text_table_set_rank(t, c, ranks[c]);
        if (c > 0) text_table_align_right(t, c);
    }
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (titles && i == 4) text_table_title(t, true, "shift = none");
        if (titles && i == 4) text_table_title(t, false, "fitted");
        if (titles && i == 8) text_table_title(t, false, "controls");
        text_table_cell(t, "%s", cells[i]);
    }
    assert_int_equal(t->rows, 2);
}

static void check(bool titles, size_t width, const char *want, const char *want_hidden) {
    struct text_table t;
    struct text out = {0}, hidden = {0};
    fill(&t, titles);
    assert_int_equal(text_table_print(&out, &hidden, &t, width, NULL), ERR_OK);
    assert_string_equal(text_str(&out), want);
    assert_string_equal(text_str(&hidden), want_hidden);
    text_release(&out);
    text_release(&hidden);
    text_table_release(&t);
}

static void columns_are_aligned(void **state) {
    (void)state;
    check(false, SIZE_MAX,
          "method  a     b  c\n"
          "ltv     1  2.50  3\n"
          "é          17.5  4\n",
          "");
    check(false, 18, "method  a     b  c\nltv     1  2.50  3\né          17.5  4\n", "");
}

static void columns_that_do_not_fit_are_left_out_by_rank(void **state) {
    (void)state;
    check(false, 17, "method  a  c\nltv     1  3\né          4\n", "b");
    check(false, 11, "method  a\nltv     1\né\n", "b, c");
    check(false, 8, "method\nltv\né\n", "a, b, c");
    check(false, 3, "method\nltv\né\n", ""); /* nothing more can be left out: too wide */
}

static void titles_stand_before_their_rows(void **state) {
    (void)state;
    check(true, 14,
          "  method  a  c\n"
          "\n"
          "shift = none\n"
          "fitted\n"
          "  ltv     1  3\n"
          "controls\n"
          "  é          4\n",
          "b");
}

static void a_paragraph_is_broken_at_spaces(void **state) {
    (void)state;
    struct text out = {0};
    text_table_paragraph(&out, "one two  three abcdefghijklmn é é", 9);
    assert_string_equal(text_str(&out), "one two\nthree\nabcdefghijklmn\né é\n");
    text_clear(&out);
    text_table_paragraph(&out, "a b c", SIZE_MAX);
    assert_string_equal(text_str(&out), "a b c\n");
    text_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(columns_that_do_not_fit_are_left_out_by_rank),
        cmocka_unit_test(titles_stand_before_their_rows),
        cmocka_unit_test(a_paragraph_is_broken_at_spaces),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
